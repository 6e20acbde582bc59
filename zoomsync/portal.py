"""Puts a portal together from a config: how it is asked, who the authors are, how items are published."""

from collections.abc import Callable

from zoomsync.config import Config, Vidizmo
from zoomsync.destinations.vidizmo import vidizmo
from zoomsync.destinations.vidizmo.attaching import Attaching
from zoomsync.destinations.vidizmo.authors import Authors
from zoomsync.destinations.vidizmo.directory import Directory, PortalDirectory
from zoomsync.destinations.vidizmo.enrolling import Enrolling
from zoomsync.destinations.vidizmo.portal import Account, Portal
from zoomsync.destinations.vidizmo.scim import ScimDirectory
from zoomsync.destinations.vidizmo.shelf import Shelf
from zoomsync.destinations.vidizmo.survey import Survey
from zoomsync.destinations.vidizmo.terms import Terms
from zoomsync.destinations.vidizmo.unanswered import Intents, Unanswered
from zoomsync.destinations.vidizmo.upload import Uploads
from zoomsync.destinations.vidizmo.writing import Manner, Writer
from zoomsync.http import Http
from zoomsync.model import Clock, User


def portal(
    config: Config,
    settings: Vidizmo,
    clock: Clock,
    http: Http,
    *,
    intents: Intents,
    new_id: Callable[[], str],
    named: Callable[[User], User],
) -> vidizmo.Vidizmo:
    """The portal of this config; nothing is sent yet. `named` gives a host the names that Zoom has for it."""
    line = Portal(http, settings.table, url=settings.url, account=_account(settings))
    unanswered = Unanswered(intents, clock, new_id, portal=settings.id, index_lag=settings.index_lag)
    shelf = Shelf(line, unanswered, uuid_attribute=settings.uuid_attribute)
    uploads = Uploads(line, clock, new_id)
    directory = _directory(settings, http, line)
    terms = _terms(config, settings)
    return vidizmo.Vidizmo(
        line,
        Authors(directory, Enrolling(directory, unanswered, terms, named=named), terms),
        shelf,
        Writer(line, uploads, shelf, unanswered, _manner(settings)),
        Attaching(line, uploads, unanswered, clock, language=settings.language),
        uploads,
        Survey(line, directory, terms, category=settings.category),
        unanswered,
        clock,
        name=settings.id,
    )


def _account(settings: Vidizmo) -> Account:
    return Account(
        email=settings.email,
        password=settings.password,
        client_secret=settings.client_secret,
        application_id=settings.application_id,
    )


def _directory(settings: Vidizmo, http: Http, line: Portal) -> Directory:
    if settings.users == "scim" and settings.scim_url and settings.scim_token:
        return ScimDirectory(http, line, url=settings.scim_url, token=settings.scim_token)
    return PortalDirectory(line, invites=settings.invitation == "portal")


def _terms(config: Config, settings: Vidizmo) -> Terms:
    return Terms(
        publish_as=config.publish_as,
        me=config.me or "",
        account=settings.email,
        aliases=config.aliases,
        viewer=settings.groups.viewer,
        contributor=settings.groups.contributor,
        uploading=frozenset({*settings.groups.uploading, settings.groups.contributor}),
        create_users=settings.create_users,
        max_new_users=settings.max_new_users,
        invites=settings.invitation == "call",
    )


def _manner(settings: Vidizmo) -> Manner:
    return Manner(
        uuid_attribute=settings.uuid_attribute,
        category=settings.category,
        tags=settings.tags,
        force_pending=settings.moderation == "force-pending",
    )
