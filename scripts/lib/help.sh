# shellcheck shell=bash
# What a script says of itself: the comment at its top. Sourced, not run.
#
#   takes MOST OPTIONS "$@"   of the script's words "$@": prints the comment where one is -h or --help, and ends the
#                             script where one is an option that is not among OPTIONS, or where more than MOST are none

takes() {
  local most=$1 options=" $2 " script=${BASH_SOURCE[0]%/*}/../${0##*/} word
  local -a others=()
  shift 2
  for word; do
    case $word in
      -h | --help)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$script"
        exit
        ;;
      -*) [[ $options == *" $word "* ]] || { echo "${0##*/}: $word: no such option; try --help" >&2; exit 2; } ;;
      *) others+=("$word") ;;
    esac
  done
  ((${#others[@]} <= most)) || { echo "${0##*/}: ${others[most]}: unexpected argument; try --help" >&2; exit 2; }
}
