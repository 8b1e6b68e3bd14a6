"""A bot with a tree of commands: subcommands, people and roles, time zones, private answers."""

import io
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.person import Person
from tests.sandbox.discord_client import JSON, commands, discord, png

Interaction = discord.Interaction[commands.Bot]
Target = discord.Member | discord.Role
Choice = discord.app_commands.Choice

DAYS = "".join(f"2026-11-{day},Noémie,{day}\r\n" for day in range(10, 20))
RECORDS = f"day,who,clips\r\n{DAYS}".encode()
ZONES = ("Europe/Amsterdam", "Europe/Berlin", "Europe/London", "Asia/Tokyo", "UTC")
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)

quota = discord.app_commands.Group(
    name="quota",
    description="What members may spend",
    default_permissions=discord.Permissions(manage_guild=True),
    guild_only=True,
)
usage = discord.app_commands.Group(name="usage", description="What was used", guild_only=True)
archive = discord.app_commands.Group(name="archive", description="Old records", parent=usage)


@quota.command(name="set", description="Limit a member or a role")
@discord.app_commands.describe(
    target="Whom it limits", clips="How many clips", share="Which part of the pool", per="How often"
)
@discord.app_commands.choices(per=[Choice(name="Day", value="day"), Choice(name="Week", value="w")])
async def set_(
    interaction: Interaction,
    target: Target,
    clips: discord.app_commands.Range[int, 0, 100],
    per: str = "day",
    share: discord.app_commands.Range[float, 0.0, 1.0] = 1.0,
) -> None:
    kind = "role" if isinstance(target, discord.Role) else "member"
    text = f"{kind} {target.mention} {clips} {per} {share}"
    await interaction.response.send_message(embed=discord.Embed(description=text), ephemeral=True)


@quota.command(description="Show the limits of a member")
@discord.app_commands.describe(member="Whose", role="A role that they may have")
async def view(interaction: Interaction, member: discord.Member, role: discord.Role) -> None:
    held = role in member.roles
    allowed = interaction.permissions.manage_guild and not member.guild_permissions.manage_guild
    await interaction.response.send_message(f"held {held}, allowed {allowed}", ephemeral=True)


@quota.command(name="timezone", description="Say when a day begins")
@discord.app_commands.describe(zone="A city of your time zone")
async def timezone(interaction: Interaction, zone: str) -> None:
    await interaction.response.send_message(zone, ephemeral=True)


@timezone.autocomplete("zone")
async def offered(_interaction: Interaction, current: str) -> list[Choice[str]]:
    found = [one for one in ZONES if current.lower() in one.lower()]
    return [Choice(name=one.replace("/", " / "), value=one) for one in found]


@usage.command(name="me", description="Show what you used")
async def mine(interaction: Interaction) -> None:
    """Answer as a report does: put off, then an embed with a picture in it."""
    await interaction.response.defer(thinking=True, ephemeral=True)
    member = interaction.user
    assert isinstance(member, discord.Member)
    [command] = [
        one for one in await interaction.client.tree.fetch_commands() if one.name == "usage"
    ]
    report = discord.Embed(
        title="Your clips", colour=0x5865F2, timestamp=datetime(2026, 11, 23, 12, tzinfo=UTC)
    )
    roles = " ".join(role.mention for role in member.roles[1:]) or "none"
    report.description = (
        f"{member.mention}, a new day begins {discord.utils.format_dt(MIDNIGHT, 'R')}, "
        f"on {discord.utils.format_dt(MIDNIGHT, 'F')}. Again: </usage me:{command.id}>"
    )
    report.add_field(name="Today", value="3 of 5")
    report.add_field(name="This week", value="7 of 20")
    report.add_field(name="Spent", value="$0.84")
    report.add_field(name="Roles", value=roles, inline=False)
    report.set_footer(text="Counted in Europe/Amsterdam")
    report.set_image(url="attachment://usage.png")
    chart = discord.File(io.BytesIO(png(800, 400)), "usage.png", description="Clips by day")
    await interaction.edit_original_response(embed=report, attachments=[chart])


@usage.command(description="Fetch the records")
async def export(interaction: Interaction) -> None:
    records = discord.File(io.BytesIO(RECORDS), "usage.csv")
    await interaction.response.send_message("Your records.", file=records, ephemeral=True)


@archive.command(description="Show one member's old records")
async def show(interaction: Interaction, who: discord.User) -> None:
    await interaction.response.send_message(f"nothing of {who.mention}", ephemeral=True)


def clerk(bot: commands.Bot) -> None:
    """Give a bot the whole tree."""
    bot.tree.add_command(quota)
    bot.tree.add_command(usage)


async def answer(person: Person, command: str, **options: Any) -> JSON:
    """Have somebody use a command, and return the bot's answer."""
    return await person.wait_for_reply(await person.command(command, **options))
