"""A local Runware: the image-to-video API on loopback, with real clips and orders for trouble.

Faithful to the published behaviour, so that the bot that runs against it is the production bot.
`server.LocalRunware` is the whole service; everything else here is its inside. Nothing is imported
here, so that the worker process that renders loads no server.
"""
