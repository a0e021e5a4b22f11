# shellcheck shell=bash
# What the boot images in scripts/products share: sourced, not run. scripts/image calls each as
#
#   PRODUCT WORK OUT [PATH]
#
# WORK holds vmlinuz, initrd.img, cmdline, the kernel command line, and role, which is "xenprobe" where the initramfs has no
# init but that. What is made goes to OUT; $own is a directory for anything else. PATH is for xl: where the product will lie in dom0, where that is not OUT/xl.

export LC_ALL=C
# What only root uses is not in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin
# shellcheck disable=SC2034  # out is for the products
work=$1 out=$2
cmdline=$(<"$work/cmdline")
# shellcheck disable=SC2034  # for the products
own=$(mktemp -d "$work/own.XXXXXX") # goes with WORK
# The name of the file system that is booted from.
# shellcheck disable=SC2034  # for the products
volume=XENPROBE

die() { echo "image: $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || [[ -e $1 ]] || die "$1 is missing; scripts/setup installs it"; }

# In front of a screen somebody may be reading, where the machine would go off by itself.
wait_for_key() {
  [[ $(<"$work/role") != xenprobe || " $cmdline " == *" xenprobe.wait="* || " $cmdline " == *" xenprobe.quiet "* ]] || cmdline+=" xenprobe.wait=60"
}

# A link where the file system allows it: the files are large.
place() { cp -lf "$1" "$2" 2>/dev/null || cp "$1" "$2"; }

# Below the directory $1: the kernel, the initramfs and GRUB's configuration.
boot_tree() {
  mkdir -p "$1/boot/grub"
  cp "$work/vmlinuz" "$1/boot/vmlinuz"
  cp "$work/initrd.img" "$1/boot/initrd.img"
  # Braces end a word of GRUB's unless they are quoted; within double quotes they are.
  local words
  words=$(awk -F'"' -v OFS='"' '{ for (i = 1; i <= NF; i += 2) gsub(/[{}]/, "\047&\047", $i); print }' <<<"$cmdline")
  # The device in front of the path ends up in BOOT_IMAGE=, which tells what was booted from.
  cat >"$1/boot/grub/grub.cfg" <<END
set default=0
set timeout=0
if [ "\$grub_platform" = efi ]; then insmod all_video; fi
menuentry "xenprobe" {
  linux (\$root)/boot/vmlinuz $words
  initrd (\$root)/boot/initrd.img
}
END
}

# GRUB's modules for a kernel on a disk or DVD.
# shellcheck disable=SC2034  # for the products
grub_modules="normal linux fat iso9660 part_msdos part_gpt"
