FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY bot bot
COPY cogs cogs
# Compiled once here, and not with each start.
RUN python -m compileall -q bot cogs

# An unprivileged user owns nothing but the data.
RUN useradd --create-home --uid 10001 animate && mkdir /data && chown animate /data
USER animate
VOLUME /data
ENV ANIMATE_DATA_DIR=/data

# SIGTERM lets running steps commit; `docker stop` waits ten seconds, which is enough.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
