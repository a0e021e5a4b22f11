# shellcheck shell=bash
# How an image is kept in the cache: under the hash of all that it is made from, made once, whole or not at all. Sourced
# behind debian.sh, not run.
#
#   cache_begin NAME    reads from standard input all that image NAME is made from. If it is there already, prints its
#                       directory and ends the script. Else the script goes on alone: whoever wants the same image waits.
#                       $part is a directory to work in, with tree/ for anything and new/ for what becomes the image.
#   cache_finish DAYS   puts it into its place, removes what older versions left that is older than DAYS, prints the
#                       directory
#   cache_say TEXT      tells on standard error what goes on

lab_cache=${lab_cache:?}

cache_say() { echo "${0##*/}: $cache_name: $*" >&2; }

cache_begin() {
  local key lock
  cache_name=$1
  key=$(sha256sum | cut -c 1-12)
  cache_home=$lab_cache/$cache_name-$key
  mkdir -p "$lab_cache"
  # Held until the script ends.
  exec {lock}>"$lab_cache/$cache_name.lock"
  flock "$lock"
  if [[ -d $cache_home ]]; then
    # So that it counts as used.
    touch "$cache_home"
    echo "$cache_home"
    exit
  fi
  cache_say "building"
  # Made beside and renamed when whole: half a build never counts.
  part=$(mktemp -d "$lab_cache/.part.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  mkdir "$part"/{new,tree}
}

cache_finish() {
  chmod -R a+rX "$part/new"
  mv -T "$part/new" "$cache_home"
  # Directories that a run may still use are younger than that.
  find "$lab_cache" -maxdepth 1 -name "$cache_name-*" ! -path "$cache_home" -mtime "+$1" -exec rm -rf {} +
  cache_say "done, $(du -sh "$cache_home" | cut -f 1)"
  echo "$cache_home"
}
