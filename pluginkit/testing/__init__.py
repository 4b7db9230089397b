"""The test kit for plugin authors and host authors: hosts that know nothing of this machine.

With pytest nothing needs to be imported: the fixture `isolated_host` is there as soon as
pluginkit is installed.

    def test_my_cat(isolated_host):
        host = isolated_host(contracts={"animal": Animal}, plugin="plugins/cat")
        assert host.hook.speak(is_loud=True) == ["MEOW!"]
"""

from __future__ import annotations

from pluginkit.testing.isolated import IsolatedHost as IsolatedHost
from pluginkit.testing.isolated import write_plugin as write_plugin

__all__ = ["IsolatedHost", "write_plugin"]
