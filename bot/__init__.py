"""animate-bot: a picture in, a paid clip out, and exact accounts of it."""
