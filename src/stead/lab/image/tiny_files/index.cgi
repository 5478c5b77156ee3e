#!/bin/sh
# Who this guest is, as JSON, for whoever asks on port 80.
list() { ip -o "$1" address show scope global | awk '{ sub("/.*", "", $4); printf "%s\"%s\"", n++ ? ", " : "", $4 }'; }
printf 'Content-Type: application/json\r\n\r\n'
printf '{"hostname": "%s", "instance_id": "%s", "boot_id": "%s", "client": "%s", "ipv4": [%s], "ipv6": [%s]}\n' \
  "$(hostname)" "$(cat /run/plan/instance-id)" "$(cat /proc/sys/kernel/random/boot_id)" "$REMOTE_ADDR" \
  "$(list -4)" "$(list -6)"
