# shellcheck shell=bash
# Debian packages of any release, without installing them: sourced, not run.
#
#   debian_kernel SUITE METAPACKAGE     the kernel's own package, such as linux-image-6.1.0-1-amd64
#   debian_resolve SUITE PACKAGE...   one line a package, "URI file": all that these need, in this version
#   debian_unpack SUITE DIRECTORY SKIP PACKAGE...   downloads and unpacks the same into DIRECTORY, less the
#                                     packages whose names match the regular expression SKIP
#
# It needs apt and dpkg-deb, no privileges. The mirror is the one that this machine's own apt uses.

lab_cache=${XDG_CACHE_HOME:-$HOME/.cache}/xenprobe/lab

# Prints the address of the archive that this machine's apt knows under label $1.
debian_mirror() {
  # All of the output first: a reader that stops early would fail apt under pipefail.
  local all
  # shellcheck disable=SC2016  # apt expands it
  all=$(apt-get indextargets 'Created-By: Packages' "Label: $1" --format '$(REPO_URI)')
  [[ -n $all ]] || { echo "debian: this machine's apt has no sources labelled $1" >&2; return 1; }
  head -n 1 <<<"$all"
}

# Runs an apt tool for release $1 on lists of its own, as if nothing were installed.
debian_apt() {
  local suite=$1 home=$lab_cache/apt/$1
  shift
  APT_CONFIG=$home/apt.conf "$@"
}

# Brings the lists of release $1 up to date, if this machine's own are newer.
debian_lists() {
  mkdir -p "$lab_cache/apt/$1"
  # One at a time: apt refuses a second.
  (flock 9 && debian_refresh "$1") 9>"$lab_cache/apt/$1/lock"
}

debian_refresh() {
  local suite=$1 home=$lab_cache/apt/$1 main security key
  [[ -e $home/updated && ! /var/lib/apt/lists -nt $home/updated ]] && return
  mkdir -p "$home"/{lists,archives,none}/partial
  main=$(debian_mirror Debian) || return 1
  security=$(debian_mirror Debian-Security) || security=
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  {
    echo "deb [arch=amd64 signed-by=$key] $main $suite main"
    [[ -z $security ]] || echo "deb [arch=amd64 signed-by=$key] $security $suite-security main"
  } >"$home/sources.list"
  : >"$home/status"
  # The sandbox's user cannot read a cache in somebody's home.
  cat >"$home/apt.conf" <<END
Dir::Etc::sourcelist "$home/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$home/lists";
Dir::State::status "$home/status";
Dir::State::extended_states "$home/extended";
Dir::Cache "$home";
Dir::Cache::archives "$home/archives";
APT::Install-Recommends "false";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "root";
Acquire::Languages "none";
END
  echo "debian: refreshing the lists of $suite" >&2
  if debian_apt "$suite" apt-get update -qq >"$home/log" 2>&1; then
    touch "$home/updated"
  elif [[ -e $home/updated ]]; then
    # What worked yesterday still does; the mirror's absence must not stop a test run.
    echo "debian: $suite: lists could not be refreshed, using the present ones" >&2
  else
    echo "debian: $suite: $(grep -m 1 -E '^E:' "$home/log" || echo 'apt-get update failed')" >&2
    return 1
  fi
}

# Prints the name of the package behind a kernel's metapackage $2: it holds nothing that has to be fetched.
debian_kernel() {
  local record
  debian_lists "$1" || return 1
  record=$(debian_apt "$1" apt-cache show --no-all-versions "$2") || return 1
  awk '$1 == "Depends:"' <<<"$record" | grep -oE -m 1 'linux-image-[0-9][a-z0-9.+-]+' | head -n 1
}

debian_resolve() {
  local suite=$1
  shift
  debian_lists "$suite" || return 1
  # Of what is in the archives already apt would print nothing. Lines are: 'URI' file size hash
  debian_apt "$suite" apt-get install -qq --print-uris -o "Dir::Cache::archives=$lab_cache/apt/$suite/none" "$@" </dev/null |
    awk '{ gsub("\047", "", $1); print $1, $2 }' | sort
}

debian_unpack() {
  local suite=$1 directory=$2 skip=$3 archives=$lab_cache/apt/$1/archives uri file name
  shift 3
  debian_lists "$suite" || return 1
  # Two builds side by side must not fetch into the same directory; apt's own lock there makes the second wait.
  debian_apt "$suite" apt-get install -qq --download-only -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600 "$@" \
    </dev/null >"$directory.log" 2>&1 || { tail -n 3 "$directory.log" >&2; return 1; }
  rm -f "$directory.log"
  # One tree, whichever side of the /usr merge a package was made for.
  for name in bin sbin lib lib64; do
    mkdir -p "$directory/usr/$name"
    ln -s "usr/$name" "$directory/$name"
  done
  while read -r uri file; do
    name=${file%%_*}
    [[ ! $name =~ ^($skip)$ ]] || continue
    dpkg-deb --fsys-tarfile "$archives/$file" |
      tar -x -C "$directory" --no-same-owner --keep-directory-symlink \
        --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
        --exclude='./usr/share/info' --exclude='./usr/share/lintian' || { echo "debian: $file: cannot unpack ($uri)" >&2; return 1; }
  done < <(debian_resolve "$suite" "$@")
}
