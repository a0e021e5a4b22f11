# Installs what is built: the programs, xenprobe-embed and xenprobe-smoke, their manuals and documents, and what makers of
# initramfs images take it from. Nothing is compiled here, scripts/build does that.
#
#   make install DESTDIR=/tmp/package PREFIX=/usr
#   make uninstall                       with the same variables: what install made goes, directories too
#
# Where the makers of images look does not depend on PREFIX: the hooks that go there name the program in PREFIX. What was
# made is listed in $(manifest); packages, which have a list of their own, set `manifest=`.
PREFIX = /usr/local
DESTDIR =
BINARY = $(or $(CARGO_TARGET_DIR),target)/x86_64-unknown-linux-musl/release/xenprobe
CONVERT = $(BINARY)-convert
REPORT = $(BINARY)-report

bindir = $(PREFIX)/bin
datadir = $(PREFIX)/share
mandir = $(datadir)/man
docdir = $(datadir)/doc/xenprobe
bashdir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/site-functions
fishdir = $(datadir)/fish/vendor_completions.d
manifest = $(datadir)/xenprobe/installed
# dracut looks nowhere else.
dracutdir := $(or $(shell pkg-config --variable=dracutmodulesdir dracut 2>/dev/null),/usr/lib/dracut/modules.d)
initramfstoolsdir = /usr/share/initramfs-tools
initcpiodir = /usr/lib/initcpio
unitdir = /usr/lib/systemd/system

hooks = initramfs
# Those that have completions.
programs = xenprobe xenprobe-convert xenprobe-report
manuals = $(wildcard docs/*.1)
documents = README.md CHANGELOG.md $(sort $(shell find docs -type f ! -name '*.1' ! -path 'docs/completions/*'))

# A row a file: its mode, where it is here, where it goes.
define rows
755|$(BINARY)|$(bindir)/xenprobe
755|$(CONVERT)|$(bindir)/xenprobe-convert
755|$(REPORT)|$(bindir)/xenprobe-report
755|$(hooks)/xenprobe-embed|$(bindir)/xenprobe-embed
755|scripts/smoke|$(bindir)/xenprobe-smoke
755|$(hooks)/pack|$(datadir)/xenprobe/pack
644|$(hooks)/parts|$(datadir)/xenprobe/parts
$(foreach name,$(programs),644|docs/completions/$(name).bash|$(bashdir)/$(name)$(newline))
$(foreach name,$(programs),644|docs/completions/_$(name)|$(zshdir)/_$(name)$(newline))
$(foreach name,$(programs),644|docs/completions/$(name).fish|$(fishdir)/$(name).fish$(newline))
755|$(hooks)/dracut/55xenprobe/module-setup.sh|$(dracutdir)/55xenprobe/module-setup.sh
755|$(hooks)/dracut/55xenprobe/xenprobe.sh|$(dracutdir)/55xenprobe/xenprobe.sh
755|$(hooks)/initramfs-tools/hooks/xenprobe|$(initramfstoolsdir)/hooks/xenprobe
755|$(hooks)/initramfs-tools/scripts/init-top/xenprobe|$(initramfstoolsdir)/scripts/init-top/xenprobe
755|$(hooks)/mkinitcpio/install/xenprobe|$(initcpiodir)/install/xenprobe
755|$(hooks)/mkinitcpio/hooks/xenprobe|$(initcpiodir)/hooks/xenprobe
644|$(hooks)/systemd/xenprobe-initrd.service|$(unitdir)/xenprobe-initrd.service
$(foreach page,$(manuals),644|$(page)|$(mandir)/man1/$(notdir $(page))$(newline))
$(foreach page,$(documents),644|$(page)|$(docdir)/$(page)$(newline))
endef
define newline


endef
export rows DESTDIR bindir datadir manifest

.PHONY: all install uninstall
all: $(BINARY) $(CONVERT) $(REPORT)

$(BINARY) $(CONVERT) $(REPORT):
	scripts/build

install: $(BINARY) $(CONVERT) $(REPORT)
	@packaging/install

uninstall:
	@packaging/install --remove
