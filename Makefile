# Installs what is built: the programs, xenprobe-embed, and what makers of initramfs images take it from. Nothing is
# compiled here, scripts/build does that.
#
#   make install DESTDIR=/tmp/package PREFIX=/usr
#
# Where the makers of images look does not depend on PREFIX.
PREFIX = /usr/local
DESTDIR =
BINARY = $(or $(CARGO_TARGET_DIR),target)/x86_64-unknown-linux-musl/release/xenprobe
CONVERT = $(BINARY)-convert
REPORT = $(BINARY)-report

bindir = $(PREFIX)/bin
datadir = $(PREFIX)/share
mandir = $(datadir)/man
dracutdir = /usr/lib/dracut/modules.d
initramfstoolsdir = /usr/share/initramfs-tools
initcpiodir = /usr/lib/initcpio
unitdir = /usr/lib/systemd/system
bashdir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/site-functions
fishdir = $(datadir)/fish/vendor_completions.d

put_program = install -D -m 755 $(1) $(DESTDIR)$(2)
put_file = install -D -m 644 $(1) $(DESTDIR)$(2)

.PHONY: all install uninstall
all: $(BINARY) $(CONVERT) $(REPORT)

$(BINARY) $(CONVERT) $(REPORT):
	scripts/build

install: $(BINARY) $(CONVERT) $(REPORT)
	$(call put_program,$(BINARY),$(bindir)/xenprobe)
	$(call put_program,$(CONVERT),$(bindir)/xenprobe-convert)
	$(call put_program,$(REPORT),$(bindir)/xenprobe-report)
	$(call put_program,initramfs/xenprobe-embed,$(bindir)/xenprobe-embed)
	$(call put_program,initramfs/pack,$(datadir)/xenprobe/pack)
	$(call put_file,docs/xenprobe.1,$(mandir)/man1/xenprobe.1)
	$(call put_file,docs/xenprobe-convert.1,$(mandir)/man1/xenprobe-convert.1)
	$(call put_file,docs/xenprobe-report.1,$(mandir)/man1/xenprobe-report.1)
	$(call put_file,docs/xenprobe-embed.1,$(mandir)/man1/xenprobe-embed.1)
	$(call put_file,docs/completions/xenprobe.bash,$(bashdir)/xenprobe)
	$(call put_file,docs/completions/_xenprobe,$(zshdir)/_xenprobe)
	$(call put_file,docs/completions/xenprobe.fish,$(fishdir)/xenprobe.fish)
	$(call put_program,initramfs/dracut/55xenprobe/module-setup.sh,$(dracutdir)/55xenprobe/module-setup.sh)
	$(call put_program,initramfs/dracut/55xenprobe/xenprobe.sh,$(dracutdir)/55xenprobe/xenprobe.sh)
	$(call put_program,initramfs/initramfs-tools/hooks/xenprobe,$(initramfstoolsdir)/hooks/xenprobe)
	$(call put_program,initramfs/initramfs-tools/scripts/init-top/xenprobe,$(initramfstoolsdir)/scripts/init-top/xenprobe)
	$(call put_program,initramfs/mkinitcpio/install/xenprobe,$(initcpiodir)/install/xenprobe)
	$(call put_program,initramfs/mkinitcpio/hooks/xenprobe,$(initcpiodir)/hooks/xenprobe)
	$(call put_file,initramfs/systemd/xenprobe-initrd.service,$(unitdir)/xenprobe-initrd.service)

uninstall:
	rm -f $(addprefix $(DESTDIR),$(bindir)/xenprobe $(bindir)/xenprobe-convert $(bindir)/xenprobe-report \
	  $(bindir)/xenprobe-embed \
	  $(addprefix $(mandir)/man1/,xenprobe.1 xenprobe-convert.1 xenprobe-report.1 xenprobe-embed.1) \
	  $(bashdir)/xenprobe $(zshdir)/_xenprobe $(fishdir)/xenprobe.fish \
	  $(initramfstoolsdir)/hooks/xenprobe $(initramfstoolsdir)/scripts/init-top/xenprobe \
	  $(initcpiodir)/install/xenprobe $(initcpiodir)/hooks/xenprobe $(unitdir)/xenprobe-initrd.service)
	rm -rf $(DESTDIR)$(datadir)/xenprobe $(DESTDIR)$(dracutdir)/55xenprobe
