"""From a request body to the fields of a message: everything that creating and editing share.

Checks the form as Discord does (50035 with a path to each mistake, 50006, 40005), stores the files,
resolves mentions. Does not know who may send: the routes ask that first.
"""

import asyncio
from dataclasses import replace
from typing import Any

from bot.sandbox.discord import components, embeds, mentions
from bot.sandbox.discord.bodies import Body, Upload
from bot.sandbox.discord.cdn import Attachment, Cdn
from bot.sandbox.discord.errors import ApiError, FormErrors, Refusal
from bot.sandbox.discord.measures import content_type_of, measured
from bot.sandbox.discord.message import JSON, Message, MessageFlag, MessageType
from bot.sandbox.discord.world import Channel, World

_NONCE_MAX_CHARS, _ALT_TEXT_MAX_CHARS, _STICKERS_MAX = 25, 1024, 3
#: Flags that an app may set when it creates a message.
_SETTABLE = int(
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.EPHEMERAL
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.IS_COMPONENTS_V2
)
#: An interaction's answer pings users only, unless it says otherwise.
_USERS_ONLY: JSON = {"parse": ["users"]}


class Drafts:
    """Fills messages from request bodies."""

    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    async def fill(self, message: Message, body: Body, *, upload_limit: int) -> None:
        """Write the fields of a create or an edit into `message`.

        All or nothing: a mistake raises ApiError and leaves the message as it was.
        """
        form = body.form
        body.check_sizes(upload_limit)
        errors = FormErrors()
        flags = self._flags(form, message)
        content = self._content(form, message, errors)
        stickers = self._stickers(form, message)
        attachments = await self._attachments(body, message, errors)
        named = {one.filename: one for one in attachments}
        v2 = bool(flags & MessageFlag.IS_COMPONENTS_V2)
        shown = message.embeds
        if form.get("embeds") is not None or "embeds" in form:
            most = self._world.limits.embeds_max
            shown = embeds.checked(form.get("embeds") or [], most, named, errors)
        parts = message.components
        if "components" in form:
            parts = components.message_components(
                form["components"] or [], v2=v2, files=named, errors=errors
            )
        if v2 and (content or shown):
            self._refuse_legacy_fields(content, errors)
        errors.check()
        if not (content or shown or parts or attachments or stickers or message.snapshot):
            raise ApiError(Refusal.EMPTY_MESSAGE)
        self._store(message, attachments)
        message.content, message.flags = content, flags
        message.embeds, message.components = shown, parts
        message.stickers = stickers
        self._mention(message, form)

    async def store_upload(
        self, upload: Upload, folder: str, *, ephemeral: bool, about: JSON | None = None
    ) -> Attachment:
        """Make an attachment of a file and keep it. `about` may have a description and a title."""
        attachment = await self._attachment(upload, folder, ephemeral=ephemeral, about=about or {})
        self._cdn.add(attachment)
        return attachment

    def moved(self, attachment: Attachment, channel_id: str, about: JSON) -> Attachment:
        """Return a person's upload, as an attachment of a message in a channel.

        `about` may have a description; a spoiler is one by its name, as clients have it.
        """
        name = attachment.filename
        moved = replace(
            attachment,
            id=self._world.ids.next(),
            folder=channel_id,
            ephemeral=False,
            filename=f"SPOILER_{name}" if about.get("spoiler") else name,
            description=about.get("description") or None,
        )
        self._cdn.add(moved)
        return moved

    def erase(self, message: Message) -> None:
        """Take a message out of its channel, and its files out of the CDN."""
        del self._world.channels[message.channel_id].messages[message.id]
        for attachment in message.attachments:
            self._cdn.remove(attachment)
        for attachment in [] if message.snapshot is None else message.snapshot.attachments:
            self._cdn.remove(attachment)

    def snapshot(self, message: Message, channel_id: str) -> Message:
        """Return a copy of a message as it is now, to be forwarded into a channel."""
        source = message.snapshot or message
        copies = [replace(one, folder=channel_id) for one in source.attachments]
        for copy in copies:
            self._cdn.add(copy)
        return replace(source, attachments=copies, previews=list(source.previews))

    def nonce(self, form: JSON) -> str | int | None:
        """Return the nonce of a create. Raises ApiError 50035 if it is too long."""
        nonce: str | int | None = form.get("nonce")
        if nonce is None:
            return None
        errors = FormErrors()
        if len(str(nonce)) > _NONCE_MAX_CHARS:
            errors.too_long(("nonce",), _NONCE_MAX_CHARS)
        errors.check()
        return nonce

    def _flags(self, form: JSON, message: Message) -> int:
        wanted = form.get("flags")
        kept = message.flags & ~int(MessageFlag.LOADING)
        if not isinstance(wanted, int):
            return kept
        # Ephemeral and components v2 cannot be taken back; only a create sets ephemeral.
        sticky = kept & int(
            MessageFlag.EPHEMERAL | MessageFlag.IS_COMPONENTS_V2 | MessageFlag.HAS_SNAPSHOT
        )
        return sticky | wanted & _SETTABLE & ~int(MessageFlag.EPHEMERAL)

    def _content(self, form: JSON, message: Message, errors: FormErrors) -> str:
        if "content" not in form:
            return message.content
        content = form["content"]
        if content is None:
            return ""
        if not isinstance(content, str):
            errors.add(("content",), "BASE_TYPE_STRING", "Expected a string")
            return ""
        content = content.strip()
        if len(content) > self._world.limits.content_max_chars:
            errors.too_long(("content",), self._world.limits.content_max_chars)
        return content

    def _stickers(self, form: JSON, message: Message) -> list[str]:
        """Return the stickers: those of the channel's guild only. Raises ApiError 50081."""
        if "sticker_ids" not in form:
            return message.stickers
        wanted = [str(one) for one in form["sticker_ids"] or []]
        channel = self._world.channels[message.channel_id]
        there = {} if channel.is_direct else self._world.guild_of(channel).stickers
        if len(wanted) > _STICKERS_MAX or not there.keys() >= set(wanted):
            raise ApiError(Refusal.INVALID_STICKER)
        return wanted

    def _refuse_legacy_fields(self, content: str, errors: FormErrors) -> None:
        field = "content" if content else "embeds"
        errors.add(
            (field,),
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
        )

    async def _attachments(
        self, body: Body, message: Message, errors: FormErrors
    ) -> list[Attachment]:
        """Return the attachments after this request: those kept, in order, then the new ones."""
        listed = body.form.get("attachments")
        present = {one.id: one for one in message.attachments}
        kept: list[Attachment] = [] if isinstance(listed, list) else list(present.values())
        about: dict[int, JSON] = {}
        for index, entry in enumerate(listed if isinstance(listed, list) else []):
            found = present.get(str(entry.get("id")))
            if len(entry.get("description") or "") > _ALT_TEXT_MAX_CHARS:
                errors.too_long(("attachments", index, "description"), _ALT_TEXT_MAX_CHARS)
            if found is not None:
                kept.append(_revised(found, entry))
            elif str(entry.get("id")).isdecimal() and int(entry["id"]) in body.files:
                about[int(entry["id"])] = entry
            else:
                where = ("attachments", index, "id")
                errors.add(where, "ATTACHMENT_NOT_FOUND", "The file of this attachment is missing")
        new = [
            await self._attachment(
                upload,
                self._world.application_id if message.ephemeral else message.channel_id,
                ephemeral=message.ephemeral,
                about=about.get(number, {}),
            )
            for number, upload in sorted(body.files.items())
        ]
        if len(kept) + len(new) > self._world.limits.attachments_max:
            errors.too_long(("attachments",), self._world.limits.attachments_max)
        return kept + new

    async def _attachment(
        self, upload: Upload, folder: str, *, ephemeral: bool, about: JSON
    ) -> Attachment:
        filename = _safe_name(about.get("filename") or upload.filename)
        content_type = content_type_of(filename, upload.content)
        if content_type.startswith("video/"):
            found = await asyncio.to_thread(measured, upload.content, content_type)
        else:
            found = measured(upload.content, content_type)
        return Attachment(
            id=self._world.ids.next(),
            folder=folder,
            filename=filename,
            content=upload.content,
            content_type=content_type,
            width=found.width,
            height=found.height,
            duration_s=found.seconds,
            description=about.get("description"),
            title=about.get("title"),
            ephemeral=ephemeral,
            spoiler=bool(about.get("is_spoiler")),
            animated=found.animated,
        )

    def _store(self, message: Message, attachments: list[Attachment]) -> None:
        kept = {one.id for one in attachments}
        for gone in message.attachments:
            if gone.id not in kept:
                self._cdn.remove(gone)
        for one in attachments:
            self._cdn.add(one)
        message.attachments = attachments

    def _mention(self, message: Message, form: JSON) -> None:
        """Set the mentions. `form` may narrow them; by default an interaction pings users only."""
        allowed: Any = form.get("allowed_mentions")
        if allowed is None and message.interaction_id is not None:
            allowed = _USERS_ONLY
        channel = self._world.channels[message.channel_id]
        found = mentions.resolve(self._world, channel, message.content, allowed, everyone=False)
        message.mentions, message.mention_roles = found.users, found.roles
        message.mention_everyone = found.everyone
        reply = self._replied_author(message)
        pings = allowed.get("replied_user", False) if isinstance(allowed, dict) else True
        if reply is not None and pings and reply not in message.mentions:
            message.mentions.append(reply)

    def _replied_author(self, message: Message) -> str | None:
        """Return whom a reply mentions: nobody where it replies to an answer to a command."""
        if message.type != MessageType.REPLY or message.interaction_id is not None:
            return None
        reference = message.reference or {}
        found = self._world.message(reference["channel_id"], reference["message_id"])
        return None if found is None or found.application_id is not None else found.author_id


def new_message(world: World, channel: Channel, author_id: str, **fields: Any) -> Message:
    """Return an empty message, not yet in its channel."""
    return Message(id=world.ids.next(), channel_id=channel.id, author_id=author_id, **fields)


def _revised(found: Attachment, entry: JSON) -> Attachment:
    """Return a kept attachment with what an edit says of it."""
    return replace(
        found,
        description=entry.get("description", found.description),
        spoiler=bool(entry.get("is_spoiler", found.spoiler)),
    )


def _safe_name(name: str) -> str:
    """Return a file name as Discord keeps it: no folders, no spaces or unusual signs."""
    base = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c if c.isalnum() or c in "._-" else "_" for c in base)
    return kept.lstrip(".") or "unknown"
