#!/bin/sh
# Before udev, in an image without systemd. /init sources this file: nothing here may end it.
[ -e /run/xenprobe/report.json ] ||
  /usr/bin/xenprobe --timeout 10 -o /run/xenprobe/report.json,format=json -o kmsg,format=line 2>/dev/kmsg </dev/null || :
