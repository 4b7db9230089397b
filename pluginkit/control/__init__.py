"""The running host's socket: what another process of the same user may ask of it.

`server` and `connection` are the host's side, `client` and `claim.running_hosts` the other;
`requests` is what can be asked, `protocol` how it is written down. Nothing is imported here: a
host without a socket, and a command that finds no running host, pay for none of it.
"""
