"""The names under which values appear in log records and contexts.

They are part of the interface: tools that read logs look for them. Every room takes them from
here; `pluginkit.logs.fields` and `pluginkit.jobs.keys` give them to programs.
"""

from __future__ import annotations

# A record's own, as PlugsConc's log tools know them. Only these begin with `@`.
TIMESTAMP = "@timestamp"
LEVEL = "@level"
MESSAGE = "@message"
MODULE = "@module"
CALLER = "@caller"
FUNCTION = "@function"
THREAD = "@thread"
PROCESS = "@process"
EXCEPTION = "@exception"
SINK = "@sink"
RECORD_ID = "record_id"

# A job and its worker
JOB_ID = "job_id"
MAX_RETRIES = "max_retries"
RETRY_DELAY = "retry_delay"
RETRY_COUNT = "retry_count"
SUBMITTED_AT = "submitted_at"
STARTED_AT = "started_at"
FINISHED_AT = "finished_at"
JOB_DURATION_SECONDS = "job_duration_seconds"
WORKER_ID = "worker_id"
JOB_METRICS = "job_metrics"
JOB_VALUE = "job_value"
JOB_ERROR = "job_error"

# A pool
WORKER_COUNT = "worker_count"
JOBS_SUBMITTED = "jobs_submitted"
FAILED_SUBMISSIONS = "failed_submissions"
POOL_STARTED_AT = "pool_started_at"
POOL_STOPPED_AT = "pool_stopped_at"
POOL_COMPLETED_AT = "pool_completed_at"
POOL_DURATION_SECONDS = "pool_duration_seconds"
POOL_CLOSED = "pool_closed"
SUCCESSFUL_JOBS = "successful_jobs"
FAILED_JOBS = "failed_jobs"
POOL_METRICS = "pool_metrics"
BATCH_ERRORS = "batch_errors"

# A plugin
PLUGIN = "plugin"
PLUGIN_VERSION = "plugin_version"
GENERATION = "generation"
HOOK = "hook"
STREAM = "stream"
PLUGIN_LOAD_ERRORS = "plugin_load_errors"
PLUGIN_MAP = "plugin_map"
ERROR = "err"
TYPE = "type"
NAME = "name"
VERSION = "version"
FORMAT = "format"
LANGUAGE = "language"
ENTRYPOINT = "entrypoint"
ABOUT = "about"
DESCRIPTION = "description"
MAINTAINER = "maintainer"
URL = "url"
HANDSHAKE_CONFIG = "handshake_config"
PROTOCOL_VERSION = "protocol_version"
MAGIC_COOKIE_KEY = "magic_cookie_key"
MAGIC_COOKIE_VALUE = "magic_cookie_value"
SECURITY = "security"
AUTO_MTLS = "auto_mtls"
