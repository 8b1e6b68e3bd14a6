"""A local Discord and a local Runware: stands outside the bot, reached over HTTP and WebSocket."""
