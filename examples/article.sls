# The set-up of the article "RedFone & FreeSWITCH high availability", with its names, addresses, ids,
# times and options. It comes up and switches over on today's Pacemaker. The run says in one warning
# what is advised today instead, and why. pillar.example is the recommended pair.
#
# Not here: what the cluster writes itself (dc-version, cluster-infrastructure, last-lrm-refresh), and
# the node ids of Heartbeat.
fsha:
  cluster:
    name: voice
  nodes:
    freeswitch-dev:
      addresses: [10.101.20.110/24]
      aliases: [freeswitch-dev.redfonelabs.com]
      interfaces:
        eth0: {address: 10.101.20.110/24, gateway: 10.101.20.1}
    ubuntu-v20z:
      addresses: [10.101.20.220/24]
      aliases: [ubuntu-v20z.redfonelabs.com]
      interfaces:
        eth0: {address: 10.101.20.220/24, gateway: 10.101.20.1}
  network:
    nonlocal_bind: true
  corosync:
    # Unicast between the nodes, one link, in the clear.
    transport: udpu
  pacemaker:
    properties:
      expected-quorum-votes: 1
      stonith-enabled: false
      no-quorum-policy: ignore
    rsc_defaults:
      resource-stickiness: 100
    resources:
      fs:
        agent: lsb:FSSofia
        meta: {target-role: Started}
        operations:
          - {name: monitor, interval: 2, timeout: 8}
      ip_shared:
        agent: ocf:heartbeat:IPaddr2
        params: {ip: 10.101.20.219, nic: "eth0:0"}
      ip_shared_arp:
        agent: ocf:heartbeat:SendArp
        params: {ip: 10.101.20.219, nic: "eth0:0"}
    groups:
      VoiceServices:
        members: [ip_shared, ip_shared_arp, fs]
    locations:
      cli-prefer-VoiceServices:
        resource: VoiceServices
        rules:
          - id: cli-prefer-rule-VoiceServices
            score: inf
            expression: "#uname eq ubuntu-v20z"
  freeswitch:
    profiles: [internal]
