"""The names of a log record's fields, as constants.

>>> from pluginkit.logs import fields
>>> fields.JOB_ID, fields.PLUGIN, fields.TIMESTAMP
('job_id', 'plugin', '@timestamp')
"""

from __future__ import annotations

from pluginkit.field_names import *  # noqa: F403  # these are the same names, for programs
