"""The operator's choices, as the parts of the corridor take them: limits, output, kept clips."""

from bot.keeper import ClipFiles
from bot.media import MEGABYTE
from bot.rules import Limits, Measure
from bot.settings import Settings
from bot.task import Output


def output(settings: Settings) -> Output:
    """Return the operator's choices for every clip."""
    hours = settings.clip_ttl_hours
    return Output(
        format=settings.output_format,
        quality=settings.output_quality,
        safety=settings.safety,
        ttl=round(hours * 3600) if hours is not None else None,
        upload_endpoint=settings.upload_endpoint,
    )


def limits(settings: Settings) -> Limits:
    """Return the operator's limits."""
    return Limits(
        member={
            Measure.DAY: settings.member_daily_usd,
            Measure.WEEK: settings.member_weekly_usd,
            Measure.MONTH: settings.member_monthly_usd,
            Measure.CLIPS: settings.member_clips,
            Measure.COOLDOWN: settings.member_cooldown_seconds,
        },
        server={
            Measure.DAY: settings.server_daily_usd,
            Measure.WEEK: settings.server_weekly_usd,
            Measure.MONTH: settings.server_monthly_usd,
            Measure.CLIPS: settings.server_clips,
        },
        bot={
            Measure.DAY: settings.bot_daily_usd,
            Measure.WEEK: settings.bot_weekly_usd,
            Measure.MONTH: settings.bot_monthly_usd,
            Measure.CLIPS: settings.bot_clips,
        },
    )


def clip_files(settings: Settings) -> ClipFiles:
    """Return where clips are kept, and for how long."""
    return ClipFiles(
        folder=settings.data_dir / "clips",
        keep_for=settings.keep_clips_hours * 3600,
        most_bytes=settings.keep_clips_max_mb * MEGABYTE,
    )
