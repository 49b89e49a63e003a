# A pair that keeps its calls. The switch runs on both nodes as a clone. On the standby its profiles
# are in hot standby. Calls are recovered from a database that both nodes share. The formula
# configures FreeSWITCH for all that. docs/freeswitch.md says why; pillar.example explains the rest.
fsha:
  cluster:
    name: voice
  nodes:
    freeswitch-dev:
      addresses: [10.101.20.110/24, 10.101.21.110/24]
    ubuntu-v20z:
      addresses: [10.101.20.220/24, 10.101.21.220/24]
  network:
    nonlocal_bind: true
  corosync:
    # Give authkey or authkey_file, see pillar.example.
    links:
      - {knet_link_priority: 2}
      - {knet_link_priority: 1}
  pacemaker:
    properties:
      # On real hosts configure a fence device, and set true.
      stonith-enabled: false
      no-quorum-policy: stop
      cluster-recheck-interval: 2min
    rsc_defaults:
      resource-stickiness: 100
      migration-threshold: 1
      failure-timeout: 10min
    resources:
      switch:
        agent: ocf:fsha:FSSwitch
        # systemd restarts the switch after a second. So a failure here means that systemd has given
        # up. On a standby that costs no call, so the cluster may try again.
        meta: {migration-threshold: 5, failure-timeout: 1min}
        operations:
          - {name: monitor, interval: 5s, timeout: 15s}
          - {name: start, timeout: 60s}
          - {name: stop, timeout: 60s}
      ip_shared:
        agent: ocf:heartbeat:IPaddr2
        params: {ip: 10.101.20.219, cidr_netmask: 24, nic: eth0}
        operations:
          - {name: monitor, interval: 5s, timeout: 20s}
          - {name: start, timeout: 20s}
          - {name: stop, timeout: 20s}
      fs:
        agent: ocf:fsha:FSSofia
        params: {profiles: internal, standby: hot, stop_mode: recover}
        operations:
          - {name: monitor, interval: 2s, timeout: 15s}
          - {name: monitor, interval: 30s, timeout: 30s, params: {OCF_CHECK_LEVEL: 10}}
          - {name: start, timeout: 60s}
          - {name: stop, timeout: 90s}
    groups:
      VoiceServices:
        members: [ip_shared, fs]
    clones:
      switch-clone:
        resource: switch
        # What depends on one instance does not wait for the other instance.
        meta: {interleave: true}
    # The service runs only where a switch runs, and starts after it.
    colocations:
      voice-with-switch:
        resource: VoiceServices
        with: switch-clone
        score: INFINITY
    orders:
      switch-then-voice:
        first: switch-clone
        then: VoiceServices
        kind: Mandatory
        symmetrical: true
  freeswitch:
    profiles: [internal]
    init_script: false
    password_file: /etc/fsha/event_socket.password
    configuration:
      switchname: voice
      # One line: pgsql://host=… dbname=… user=… password=…
      core_db_dsn_file: /etc/fsha/freeswitch.dsn
      restart: passive
      profiles:
        internal:
          vip: 10.101.20.219
          standby: hot
          odbc_dsn_file: /etc/fsha/freeswitch.dsn
