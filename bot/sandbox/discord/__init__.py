"""A local Discord: gateway, REST API, CDN and people on one loopback port, for one bot."""

from bot.sandbox.discord.limits import Limits
from bot.sandbox.discord.server import LocalDiscord

__all__ = ["Limits", "LocalDiscord"]
