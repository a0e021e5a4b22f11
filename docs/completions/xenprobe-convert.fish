# fish completion for xenprobe-convert, made of its table of options
complete -c xenprobe-convert -l sysroot -x -a '(__fish_complete_directories)' -d 'judge the system below DIR, whose symbolic links are followed as that system would follow them'
complete -c xenprobe-convert -l emit -x -a 'xl' -d 'the domain\'s configuration, for xl, instead of the report'
complete -c xenprobe-convert -l mode -x -a 'pv pvh hvm' -d 'the domain\'s: pv, pvh or hvm; without it the first of PVH, PV and HVM that is ready, else the first that becomes so'
complete -c xenprobe-convert -l json -d 'all facts and answers'
complete -c xenprobe-convert -s o -l output -r -F -a '- xenstore kmsg block: file: virtio: LABEL= UUID=' -d 'where the report goes; may be given again: a file or device, block:DISK, LABEL=NAME:/path, UUID=ID:/path, virtio:NAME, xenstore, kmsg or -'
complete -c xenprobe-convert -s h -l help -d 'this text'
complete -c xenprobe-convert -s V -l version -d 'the version'
