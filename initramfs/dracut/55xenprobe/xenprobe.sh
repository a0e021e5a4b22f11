#!/bin/sh
# Before udev, in an image without systemd. /init sources this file: nothing here may end it.
[ -e /run/xenprobe/report.json ] ||
  xenprobe --timeout 10 -o /run/xenprobe/report.json -o -,format=line >/dev/kmsg 2>&1 </dev/null || :
