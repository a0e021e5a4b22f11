#!/bin/bash
# dracut's module. It is taken only if asked for: `dracut --add xenprobe`, or add_dracutmodules+=" xenprobe " in a file
# in /etc/dracut.conf.d. dracut sources this file and sets moddir, initdir, systemdsystemunitdir and SYSTEMCTL.
# shellcheck disable=SC2154

# Where it was installed, and is in the image; dracut has a PATH of its own. make install writes the right one.
program=/usr/bin/xenprobe

check() {
  require_binaries "$program" || return 1
  return 255
}

depends() {
  return 0
}

install() {
  local directory unit=xenprobe-initrd.service
  inst "$program"
  if ! dracut_module_included systemd; then
    inst_hook pre-udev 10 "$moddir/xenprobe.sh"
    return
  fi
  for directory in "$systemdsystemunitdir" /usr/local/lib/systemd/system /usr/lib/systemd/system; do
    [[ -e $directory/$unit ]] || continue
    inst_simple "$directory/$unit" "$systemdsystemunitdir/$unit"
    $SYSTEMCTL -q --root "$initdir" add-wants initrd.target "$unit"
    return
  done
  dwarning "xenprobe: $unit is not installed, so nothing runs xenprobe"
}
