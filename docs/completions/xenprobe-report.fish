# fish completion for xenprobe-report, made of its table of options
complete -c xenprobe-report -a boot
complete -c xenprobe-report -l short -d 'the kind alone, one word'
complete -c xenprobe-report -l json -d 'the whole report'
complete -c xenprobe-report -l format -x -a 'text json short line boot virt-what systemd ansible facter nfd prometheus maas ironic' -d 'one of text, json, short, line, boot, virt-what, systemd, ansible, facter, nfd, prometheus, maas or ironic'
complete -c xenprobe-report -l is -x -a 'pv pvh hvm bare-metal xen-pv xen-pv-dom0 xen-pvh xen-pvh-dom0 xen-hvm kvm qemu unknown' -d 'no output; status 0 if WORD is the kind or the class, else 1'
complete -c xenprobe-report -l require -x -d 'FIELD:VALUE,... each printed as ok or not ok; status 1 if one is not'
complete -c xenprobe-report -l list-fields -d 'the fields of a report and what they mean, for --require'
complete -c xenprobe-report -s o -l output -r -F -a '- xenstore kmsg block: file: virtio: LABEL= UUID=' -d 'where the report goes; may be given again: a file or device, block:DISK, LABEL=NAME:/path, UUID=ID:/path, virtio:NAME, xenstore, kmsg or -. {uuid}, {mac} and {kind} in it stand for the machine. A file is replaced only if it is a report, a DISK only if it is blank or holds a report; of one over 64 MiB not every byte is looked at'
complete -c xenprobe-report -s h -l help -d 'this text'
complete -c xenprobe-report -s V -l version -d 'the version'
