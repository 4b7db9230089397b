"""The names of a log record's fields, as constants.

>>> from pluginkit.logs import fields
>>> fields.JOB_ID, fields.PLUGIN, fields.TIMESTAMP
('job_id', 'plugin', '@timestamp')
"""

# ruff: noqa: PLC0414  # the names are given on: that is how type checkers know

from __future__ import annotations

from pluginkit.field_names import (
    ABOUT as ABOUT,
)
from pluginkit.field_names import (
    AUTO_MTLS as AUTO_MTLS,
)
from pluginkit.field_names import (
    BATCH_ERRORS as BATCH_ERRORS,
)
from pluginkit.field_names import (
    CALLER as CALLER,
)
from pluginkit.field_names import (
    DESCRIPTION as DESCRIPTION,
)
from pluginkit.field_names import (
    ENTRYPOINT as ENTRYPOINT,
)
from pluginkit.field_names import (
    ERROR as ERROR,
)
from pluginkit.field_names import (
    EXCEPTION as EXCEPTION,
)
from pluginkit.field_names import (
    FAILED_JOBS as FAILED_JOBS,
)
from pluginkit.field_names import (
    FAILED_SUBMISSIONS as FAILED_SUBMISSIONS,
)
from pluginkit.field_names import (
    FINISHED_AT as FINISHED_AT,
)
from pluginkit.field_names import (
    FORMAT as FORMAT,
)
from pluginkit.field_names import (
    FUNCTION as FUNCTION,
)
from pluginkit.field_names import (
    GENERATION as GENERATION,
)
from pluginkit.field_names import (
    HANDSHAKE_CONFIG as HANDSHAKE_CONFIG,
)
from pluginkit.field_names import (
    HOOK as HOOK,
)
from pluginkit.field_names import (
    JOB_DURATION_SECONDS as JOB_DURATION_SECONDS,
)
from pluginkit.field_names import (
    JOB_ERROR as JOB_ERROR,
)
from pluginkit.field_names import (
    JOB_ID as JOB_ID,
)
from pluginkit.field_names import (
    JOB_METRICS as JOB_METRICS,
)
from pluginkit.field_names import (
    JOB_VALUE as JOB_VALUE,
)
from pluginkit.field_names import (
    JOBS_SUBMITTED as JOBS_SUBMITTED,
)
from pluginkit.field_names import (
    LANGUAGE as LANGUAGE,
)
from pluginkit.field_names import (
    LEVEL as LEVEL,
)
from pluginkit.field_names import (
    MAGIC_COOKIE_KEY as MAGIC_COOKIE_KEY,
)
from pluginkit.field_names import (
    MAGIC_COOKIE_VALUE as MAGIC_COOKIE_VALUE,
)
from pluginkit.field_names import (
    MAINTAINER as MAINTAINER,
)
from pluginkit.field_names import (
    MAX_RETRIES as MAX_RETRIES,
)
from pluginkit.field_names import (
    MESSAGE as MESSAGE,
)
from pluginkit.field_names import (
    MODULE as MODULE,
)
from pluginkit.field_names import (
    NAME as NAME,
)
from pluginkit.field_names import (
    PLUGIN as PLUGIN,
)
from pluginkit.field_names import (
    PLUGIN_LOAD_ERRORS as PLUGIN_LOAD_ERRORS,
)
from pluginkit.field_names import (
    PLUGIN_MAP as PLUGIN_MAP,
)
from pluginkit.field_names import (
    PLUGIN_VERSION as PLUGIN_VERSION,
)
from pluginkit.field_names import (
    POOL_CLOSED as POOL_CLOSED,
)
from pluginkit.field_names import (
    POOL_COMPLETED_AT as POOL_COMPLETED_AT,
)
from pluginkit.field_names import (
    POOL_DURATION_SECONDS as POOL_DURATION_SECONDS,
)
from pluginkit.field_names import (
    POOL_METRICS as POOL_METRICS,
)
from pluginkit.field_names import (
    POOL_STARTED_AT as POOL_STARTED_AT,
)
from pluginkit.field_names import (
    POOL_STOPPED_AT as POOL_STOPPED_AT,
)
from pluginkit.field_names import (
    PROCESS as PROCESS,
)
from pluginkit.field_names import (
    PROTOCOL_VERSION as PROTOCOL_VERSION,
)
from pluginkit.field_names import (
    RECORD_ID as RECORD_ID,
)
from pluginkit.field_names import (
    RETRY_COUNT as RETRY_COUNT,
)
from pluginkit.field_names import (
    RETRY_DELAY as RETRY_DELAY,
)
from pluginkit.field_names import (
    SECURITY as SECURITY,
)
from pluginkit.field_names import (
    SINK as SINK,
)
from pluginkit.field_names import (
    STARTED_AT as STARTED_AT,
)
from pluginkit.field_names import (
    STREAM as STREAM,
)
from pluginkit.field_names import (
    SUBMITTED_AT as SUBMITTED_AT,
)
from pluginkit.field_names import (
    SUCCESSFUL_JOBS as SUCCESSFUL_JOBS,
)
from pluginkit.field_names import (
    THREAD as THREAD,
)
from pluginkit.field_names import (
    TIMESTAMP as TIMESTAMP,
)
from pluginkit.field_names import (
    TYPE as TYPE,
)
from pluginkit.field_names import (
    URL as URL,
)
from pluginkit.field_names import (
    VERSION as VERSION,
)
from pluginkit.field_names import (
    WORKER_COUNT as WORKER_COUNT,
)
from pluginkit.field_names import (
    WORKER_ID as WORKER_ID,
)
