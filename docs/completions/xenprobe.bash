# bash completion for xenprobe, made of its table of options

_xenprobe()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" files=() index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
            lspci | boot | convert | capture) command=${COMP_WORDS[index]} ;;
            --report) files=(-f) ;;
        esac
    done
    case $command,$before in
        ,--format | boot,--format) mapfile -t COMPREPLY < <(compgen -W 'text json short line boot virt-what systemd ansible facter nfd prometheus maas ironic' -- "$word"); return ;;
        ,--is | boot,--is) mapfile -t COMPREPLY < <(compgen -W 'pv pvh hvm bare-metal xen-pv xen-pv-dom0 xen-pvh xen-pvh-dom0 xen-hvm kvm qemu unknown' -- "$word"); return ;;
        ,--require | boot,--require) return ;;
        lspci,-s) return ;;
        lspci,-d) return ;;
        lspci,-A) mapfile -t COMPREPLY < <(compgen -W 'sysfs ports dump' -- "$word"); return ;;
        lspci,-F) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        ,-o | ,--output | lspci,-o | lspci,--output | boot,-o | boot,--output) mapfile -t COMPREPLY < <(compgen -f -W '- xenstore kmsg block: file: virtio: LABEL= UUID=' -- "$word"); return ;;
        ,--report | boot,--report) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        ,--root | lspci,--root | boot,--root | capture,--root) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        ,--timeout | lspci,--timeout | boot,--timeout | capture,--timeout) return ;;
        convert,--sysroot) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        convert,--emit) mapfile -t COMPREPLY < <(compgen -W 'xl' -- "$word"); return ;;
        convert,--mode) mapfile -t COMPREPLY < <(compgen -W 'pv pvh hvm' -- "$word"); return ;;
        convert,-o | convert,--output) mapfile -t COMPREPLY < <(compgen -f -W '- xenstore kmsg block: file: virtio: LABEL= UUID=' -- "$word"); return ;;
    esac
    case $command in
        '') mapfile -t COMPREPLY < <(compgen "${files[@]}" -W '--short --json --format --is --require --list-fields -o --output --report --root --timeout --ports --redact -h --help -V --version lspci boot convert capture' -- "$word"); return ;;
        'lspci') mapfile -t COMPREPLY < <(compgen -W '--json -n -v -k -x -m -t -D -s -d -A -F -o --output --root --timeout --ports --redact -h --help -V --version' -- "$word"); return ;;
        'boot') mapfile -t COMPREPLY < <(compgen "${files[@]}" -W '--short --json --format --is --require --list-fields -o --output --report --root --timeout --ports --redact -h --help -V --version' -- "$word"); return ;;
        'convert') mapfile -t COMPREPLY < <(compgen -f -W '--sysroot --emit --mode --json -o --output -h --help -V --version' -- "$word"); return ;;
        'capture') mapfile -t COMPREPLY < <(compgen -d -W '--root --timeout --ports --redact -h --help -V --version' -- "$word"); return ;;
    esac
} && complete -o filenames -F _xenprobe xenprobe
