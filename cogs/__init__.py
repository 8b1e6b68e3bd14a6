"""The doors of the bot: a cog acknowledges, asks the pipeline, and words the answer."""
