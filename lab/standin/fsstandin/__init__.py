"""A stand-in for FreeSWITCH in the lab.

FreeSWITCH is in no Debian archive, so the lab brings this: a process with the command names, the
Event Socket, the exit codes, the texts and the timing of the real one, as far as an active/passive
pair depends on them. It is a test tool. The formula never installs it, and it is not a switch.

What it models (measured on FreeSWITCH 1.11.3-dev, mod_sofia as in 1.11.2, with two switches)
    - Event Socket: ``auth/request``, ``auth``, ``-ERR invalid``, ``api``, ``bgapi`` (no events),
      ``exit``; closed while the switch is down *and* while it is still starting.
    - ``fs_cli``: exit 0 for every reply, 255 for no connection or a refused password, 254 for the
      ``-t`` timeout; hangs for ever on a frozen switch without ``-T``; configuration from
      ``~/.fs_cli_conf``, else ``/etc/fs_cli.conf``.
    - Profiles: asynchronous start that says "started successfully" before it has bound, three bind
      attempts 5 s apart, no later retry; a stopped profile is absent from every status; stop and
      restart refused (with exit 0) in the first 10 s; asynchronous stop: unlisted at once, socket
      closed after 0.3 s, name freed after 1.6 s; a start between the last two makes a profile that
      answers calls and is never listed (the "zombie"); restart comes back by itself.
    - Paused or full: 503 to INVITE, and to OPTIONS as before 1.11.1 where the profile says so.
    - Standby flag: 503 to INVITE and OPTIONS, shown by no status, cleared by recover, set again by
      a rescan (and by a start of a running profile, which is one).
    - Recovery rows in one database for both nodes: written about 0.1 s after the answer, deleted
      at hangup; recover takes and deletes every row of the profile with another core uuid, whether
      its owner lives or not, and re-INVITEs each peer in its dialog with the same RTP port, where
      audio begins with the peer's 200;
      "No calls to recover." before the profile is RUNNING and also when the database is away.
    - The database on a PostgreSQL server: without it no start; when it goes away calls and
      ``sofia status`` go on, ``show calls`` is ``-ERR Database error!``, and the status of a single
      profile hangs until it is back, for 120 s at most. Rows wait for it as long.
    - A called user ``ringing`` who never answers; hold (RFC 3264) as the caller asks for it.
    - Ends: profile stop, SIGTERM and ``fsctl shutdown`` send BYE and delete the rows; SIGKILL,
      ``fsctl crash`` and ``fsctl shutdown now`` send nothing and keep them.
    - SIP over UDP: OPTIONS, INVITE (100, 180, 200 with SDP), ACK, CANCEL, re-INVITE, BYE, 200
      retransmitted until its ACK; RTP is echoed to whoever sent it, so gaps can be measured.
    - An address that is not local: the kernel decides, exactly as for the real one.

What it does not model
    Registrations, authentication, gateways, dialplan, bridging (each call is one leg), codecs
    beyond naming the first one offered, TCP/TLS/WS, SRTP, IPv6, events, modules, the XML of the
    configuration (``reloadxml`` always succeeds), the real channel in the recovery row (it is JSON
    here), the broken corners of the real recovery
    (proxies, hold, TLS), CPU load and media timing. A test that passes here shows that the cluster
    and the agent do the right thing, not that FreeSWITCH does.

Configuration
    ``/etc/freeswitch/standin.json``, or the file named by ``-standin-conf`` or by the environment
    variable ``STANDIN_CONFIG``; see ``config.py``. Faults: see ``faults.py``.
"""
