# bash completion for xenprobe-report, made of its table of options

_xenprobe_report()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    case $before in
        --format) mapfile -t COMPREPLY < <(compgen -W 'text json short line boot virt-what systemd ansible facter nfd prometheus maas ironic' -- "$word"); return ;;
        --is) mapfile -t COMPREPLY < <(compgen -W 'pv pvh hvm bare-metal xen-pv xen-pv-dom0 xen-pvh xen-pvh-dom0 xen-hvm kvm qemu unknown' -- "$word"); return ;;
        --require) return ;;
        -o | --output) mapfile -t COMPREPLY < <(compgen -f -W '- xenstore kmsg block: file: virtio: LABEL= UUID=' -- "$word"); return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -f -W '--short --json --format --is --require --list-fields -o --output -h --help -V --version boot' -- "$word"); return
} && complete -o filenames -F _xenprobe_report xenprobe-report
