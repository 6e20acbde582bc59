"""Puts a portal together from its settings: how it is asked, who the authors are, how items are published."""

from typing import TYPE_CHECKING

from zoomsync.destinations.base import DestinationContext
from zoomsync.destinations.vidizmo import destination
from zoomsync.destinations.vidizmo.authors import PortalAuthors
from zoomsync.destinations.vidizmo.client import Account, PortalClient
from zoomsync.destinations.vidizmo.finder import Finder
from zoomsync.destinations.vidizmo.intents import IntentLog
from zoomsync.destinations.vidizmo.invitations import Invitations
from zoomsync.destinations.vidizmo.self_check import SelfCheck
from zoomsync.destinations.vidizmo.terms import AuthorTerms
from zoomsync.destinations.vidizmo.upload import Uploads
from zoomsync.destinations.vidizmo.users import ApiUsers, PortalUsers
from zoomsync.destinations.vidizmo.users_scim import ScimUsers
from zoomsync.destinations.vidizmo.writer import AttachmentWriter, Manner, Writer
from zoomsync.http import USER_AGENT, Http

if TYPE_CHECKING:
    from zoomsync.destinations.vidizmo.settings import VidizmoSettings


def portal(settings: "VidizmoSettings", context: DestinationContext) -> destination.VidizmoDestination:
    """The portal of these settings; nothing is sent yet."""
    clock, new_id = context.clock, context.new_id
    http = Http(name="portal", clock=clock, rate=None, user_agent=USER_AGENT, tries=context.tries)
    line = PortalClient(http, settings.table, url=settings.url, account=_account(settings))
    unanswered = IntentLog(context.intents, clock, new_id, portal=settings.id, index_lag=settings.index_lag)
    shelf = Finder(line, unanswered, uuid_attribute=settings.uuid_attribute)
    uploads = Uploads(line, clock, new_id)
    directory = _directory(settings, http, line)
    terms = _terms(settings, context)
    return destination.VidizmoDestination(
        line,
        PortalAuthors(directory, Invitations(directory, unanswered, terms, named=context.with_names), terms),
        shelf,
        Writer(line, uploads, shelf, unanswered, _manner(settings)),
        AttachmentWriter(line, uploads, unanswered, clock, language=settings.language),
        uploads,
        SelfCheck(line, directory, terms, category=settings.category),
        unanswered,
        clock,
        name=settings.id,
    )


def _account(settings: "VidizmoSettings") -> Account:
    return Account(
        email=settings.email,
        password=settings.password,
        client_secret=settings.client_secret,
        application_id=settings.application_id,
    )


def _directory(settings: "VidizmoSettings", http: Http, line: PortalClient) -> PortalUsers:
    if settings.users == "scim" and settings.scim_url and settings.scim_token:
        return ScimUsers(http, line, url=settings.scim_url, token=settings.scim_token)
    return ApiUsers(line, invites=settings.invitation == "portal")


def _terms(settings: "VidizmoSettings", context: DestinationContext) -> AuthorTerms:
    return AuthorTerms(
        publish_as=context.publish_as,
        me=context.me,
        account=settings.email,
        aliases=context.aliases,
        viewer=settings.groups.viewer,
        contributor=settings.groups.contributor,
        uploading=frozenset({*settings.groups.uploading, settings.groups.contributor}),
        create_users=settings.create_users,
        max_new_users=settings.max_new_users,
        invites=settings.invitation == "call",
    )


def _manner(settings: "VidizmoSettings") -> Manner:
    return Manner(
        uuid_attribute=settings.uuid_attribute,
        category=settings.category,
        tags=settings.tags,
        force_pending=settings.moderation == "force-pending",
    )
