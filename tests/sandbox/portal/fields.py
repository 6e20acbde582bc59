"""Custom attributes and categories."""

from typing import Any

from tests.sandbox.message import Answer, json_answer
from tests.sandbox.portal.call import Call, Check, Handler, Refused, checked, is_filled, one_of
from tests.sandbox.portal.media import Attribute, Catalogue
from tests.sandbox.portal.showing import Showing

FLAG = one_of("true", "false")
"""The portal wants booleans as strings."""
ATTRIBUTE: dict[str, Check] = {
    "fieldName": is_filled,
    "fieldTypeId": one_of("Text"),
    "isMandatory": FLAG,
    "displayable": FLAG,
    "searchable": FLAG,
}


class Fields:
    """What can be said of a media item beside its own fields."""

    def __init__(self, catalogue: Catalogue, showing: Showing) -> None:
        self._catalogue = catalogue
        self._showing = showing

    def handlers(self) -> dict[str, Handler]:
        """By the name of the operation."""
        return {"attribute_list": self.list_attributes, "attribute_create": self.create_attributes,
                "category_list": self.list_categories}  # fmt: skip

    def list_attributes(self, _: Call) -> Answer:
        """All of them."""
        return json_answer([self._shown(one) for one in self._catalogue.attributes.values()])

    def create_attributes(self, call: Call) -> Answer:
        """All of them or none; a name is there once."""
        sent = call.json()
        if not isinstance(sent, list) or not sent:
            raise Refused(400, "InvalidRequestException", "not an array of attributes")
        for one in sent:
            checked(one, ATTRIBUTE, {})
            if self._catalogue.attribute(one["fieldName"]):
                raise Refused(409, "CustomAttributeAlreadyExistsException", one["fieldName"])
        return json_answer([self._shown(self._add(one)) for one in sent], status=201)

    def list_categories(self, _: Call) -> Answer:
        """All of them."""
        categories = self._catalogue.categories.items()
        return json_answer({"categories": [{"id": self._showing.id(own), "name": name} for own, name in categories]})

    def _add(self, sent: dict[str, Any]) -> Attribute:
        one = Attribute(id=self._catalogue.next_id(), field_name=sent["fieldName"],
                        is_searchable=sent["searchable"] == "true", type=sent["fieldTypeId"])  # fmt: skip
        self._catalogue.attributes[one.id] = one
        return one

    def _shown(self, one: Attribute) -> dict[str, Any]:
        return {"id": self._showing.id(one.id), "fieldName": one.field_name}
