"""What people paste: lines of the kernel's log and of tools, in the forms that they come in, and what they show."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkm.rules.causes import causes_in_text
from lkm.rules.causes.table import PASTED

BUILT = "6.1.0-44-amd64 SMP preempt mod_unload modversions "
WANTED = "6.1.0-56-amd64 SMP preempt mod_unload modversions "

# The first cause, a word that its sentence must have, and the text.
TEXTS: tuple[tuple[str, str, str], ...] = (
    # signatures, lockdown, permission
    (
        "unsigned-enforced",
        "wifi",
        (
            "modprobe: ERROR: could not insert 'wifi': Key was rejected by service\n"
            "[  812.100493] Loading of unsigned module is rejected"
        ),
    ),
    (
        "unsigned-enforced",
        "module.sig_enforce",
        (
            "[    0.000000] Kernel command line: BOOT_IMAGE=/vmlinuz root=/dev/vda1 module.sig_enforce=1 quiet\n"
            "[   99.5] Loading of unsigned module is rejected\n"
            "insmod: ERROR: could not insert module ./hello.ko: Key was rejected by service"
        ),
    ),
    (
        "unavailable-key",
        "nvidia",
        (
            "Nov 21 07:19:36 host kernel: Loading of module with unavailable key is rejected\n"
            "Nov 21 07:19:36 host modprobe[81]: ERROR: could not insert 'nvidia': Key was rejected by service"
        ),
    ),
    ("signature-refused", "vboxdrv", "modprobe: ERROR: could not insert 'vboxdrv': Key was rejected by service"),
    ("signature-refused", "vboxdrv", "modprobe: ERROR: could not insert 'vboxdrv': Required key not available"),
    (
        "unavailable-key",
        "vboxdrv",
        (
            "modprobe: ERROR: could not insert 'vboxdrv': Required key not available\n"
            "[  5.1] PKCS#7 signature not signed with a trusted key"
        ),
    ),
    ("unsupported-signature", "digest", "[1.0] Loading of module with unsupported crypto is rejected"),
    (
        "lockdown",
        "Secure Boot",
        (
            "[    0.000000] Kernel is locked down from EFI Secure Boot mode; see man kernel_lockdown.7\n"
            "[  300.1] Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7\n"
            "modprobe: ERROR: could not insert 'vboxdrv': Operation not permitted"
        ),
    ),
    (
        "lockdown",
        "by its configuration",
        (
            "[    0.000000] Kernel is locked down from Kernel configuration; see man kernel_lockdown.7\n"
            "[    9.1] Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7"
        ),
    ),
    (
        "lockdown",
        "lockdown= on its command line",
        (
            "[    0.000000] Command line: root=/dev/sda1 lockdown=integrity\n"
            "[    9.1] Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7"
        ),
    ),
    (
        "lockdown-parameter",
        "io",
        (
            "[ 31.2] Lockdown: modprobe: unsafe module parameters is restricted; see man kernel_lockdown.7\n"
            "[ 31.2] parport_pc: `0x378' invalid for parameter `io'\n"
            "modprobe: ERROR: could not insert 'parport_pc': Operation not permitted"
        ),
    ),
    ("permission", "root", "insmod: ERROR: could not insert module hello.ko: Operation not permitted"),
    (
        "kernel-blacklist",
        "nouveau",
        "[  12.2] Module nouveau is blacklisted\nmodprobe: ERROR: could not insert 'nouveau': Operation not permitted",
    ),
    (
        "malformed-signature",
        "hello.ko",
        "insmod: ERROR: could not insert module hello.ko: Bad message",
    ),
    ("signed-attributes", "sign-file", "PKCS7: Invalid module sig (has authattrs)"),
    ("revoked", "cafe", "Module hash cafe is blacklisted"),
    # built for another kernel
    (
        "vermagic",
        "6.1.0-44-amd64",
        (
            f"<3>[ 4711.3] hello: version magic '{BUILT}' should be '{WANTED}'\n"
            "insmod: ERROR: could not insert module hello.ko: Invalid module format"
        ),
    ),
    (
        "vermagic",
        "5.15.0",
        (
            "modprobe: ERROR: could not insert 'hello': Exec format error\n"
            "2026-11-21T07:19:36+00:00 box kernel: hello: version magic '5.15.0 SMP mod_unload ' should be '6.8.0"
            " SMP preempt mod_unload '"
        ),
    ),
    (
        "vermagic-flags",
        "configuration",
        f"hello: version magic '{WANTED}' should be '6.1.0-56-amd64 SMP preempt_rt mod_unload modversions '",
    ),
    (
        "struct-module-version",
        "layout",
        (
            "[ 5.5] hello: disagrees about version of symbol module_layout\n"
            "insmod: ERROR: could not insert module hello.ko: Invalid module format"
        ),
    ),
    (
        "struct-module-size",
        "hello",
        (
            "module hello: .gnu.linkonce.this_module section size must match the kernel's built struct module size at"
            " run time"
        ),
    ),
    (
        "architecture",
        "arm64",
        (
            "[ 7.0] Invalid architecture in ELF header: 183\n"
            "insmod: ERROR: could not insert module hello.ko: Invalid module format"
        ),
    ),
    ("unknown-relocation", "42", "[ 7.0] module: hello: Unknown rela relocation: 42"),
    ("unknown-relocation", "311", "[ 7.0] module hello: unsupported RELA relocation: 311"),
    (
        "relocation-overflow",
        "hello",
        "module: overflow in relocation type 10 val 1234\nmodule: `hello' likely not compiled with -mcmodel=kernel",
    ),
    (
        "old-copy-in-initramfs",
        "initramfs",
        (
            "[    1.0] Run /init as init process\n"
            f"[    1.5] virtio_blk: version magic '{BUILT}' should be '{WANTED}'\n"
            "[    4.0] systemd[1]: systemd 252 running in system mode (+PAM)"
        ),
    ),
    # the file
    (
        "not-elf",
        "web page",
        (
            "[ 9.9] Invalid ELF header magic: != \x7fELF\n"
            "insmod: ERROR: could not insert module hello.ko: Invalid module format"
        ),
    ),
    (
        "compressed",
        "hello.ko.xz",
        (
            "[ 9.9] Invalid ELF header magic: != \x7fELF\n"
            "insmod: ERROR: could not insert module hello.ko.xz: Invalid module format"
        ),
    ),
    ("truncated", "cut short", "[ 9.9] Invalid ELF section header overflow"),
    ("truncated", "cut short", "Invalid ELF header len 12"),
    ("stripped", "strip", "hello: module has no symbols (stripped?)"),
    ("stripped", "strip", "(missing .modinfo section or name field): module has no symbols (stripped?)"),
    (
        "not-linked",
        "modpost",
        (
            "[3.2] (missing .modinfo section or name field): No module found in object\n"
            "insmod: ERROR: could not insert module hello.o: Invalid module format"
        ),
    ),
    ("invalid-elf", "another processor", "[ 9.9] Module has invalid ELF structures"),
    ("damaged-compression", "unpack", "[ 9.9] decompression failed with status 7"),
    ("not-this-kernel", "hello", "insmod: ERROR: could not insert module hello.ko: Invalid module format"),
    ("file-missing", "hello.ko", "insmod: ERROR: could not load module hello.ko: No such file or directory"),
    # symbols
    (
        "unknown-symbol",
        "fat_time",
        (
            "[ 100.1] vfat: Unknown symbol fat_time_unix2fat (err -2)\n"
            "insmod: ERROR: could not insert module vfat.ko: Unknown symbol in module"
        ),
    ),
    (
        "unknown-symbol",
        "and 2 more",
        (
            "vfat: Unknown symbol a (err -2)\nvfat: Unknown symbol b (err -2)\nvfat: Unknown symbol c (err -2)\n"
            "vfat: Unknown symbol a (err -2)"
        ),
    ),
    (
        "unresolved",
        "vfat",
        "modprobe: ERROR: could not insert 'vfat': Unknown symbol in module, or unknown parameter (see dmesg)",
    ),
    (
        "proprietary",
        "__rcu_read_lock",
        (
            "closed: module license 'Proprietary' taints kernel.\n"
            "Disabling lock debugging due to kernel taint\n"
            "closed: Unknown symbol __rcu_read_lock (err -2)"
        ),
    ),
    (
        "symbol-version",
        "skb_put",
        (
            "e1000: disagrees about version of symbol skb_put\ne1000: Unknown symbol skb_put (err -22)\n"
            "modprobe: ERROR: could not insert 'e1000': Invalid argument"
        ),
    ),
    (
        "symbol-version-missing",
        "helper_do",
        (
            "user: no symbol version for helper_do\nuser: Unknown symbol helper_do (err -22)\n"
            "insmod: ERROR: could not insert module user.ko: Invalid parameters"
        ),
    ),
    (
        "namespace",
        "CRYPTO_INTERNAL",
        (
            "x: module uses symbol (crypto_x) from namespace CRYPTO_INTERNAL, but does not import it.\n"
            "x: Unknown symbol crypto_x (err -22)"
        ),
    ),
    ("mixed-licences", "nvidia", "x: module using GPL-only symbols uses symbols nv_f from proprietary module nvidia."),
    ("mixed-licences", "nvidia", "x: module using GPL-only symbols uses symbols from proprietary module nvidia."),
    ("duplicate-export", "alpha", "beta: exports duplicate symbol f (owned by alpha)"),
    ("kernel-export", "built in", "beta: exports duplicate symbol f (owned by kernel)"),
    ("symbol-owner-starting", "30 seconds", "b: gave up waiting for init of module a."),
    # parameters
    (
        "bad-parameter",
        "'banana'",
        (
            "[ 5.1] loop: `banana' invalid for parameter `max_loop'\n"
            "modprobe: ERROR: could not insert 'loop': Invalid argument"
        ),
    ),
    (
        "parameter-without-value",
        "max_loop=VALUE",
        "loop: `' invalid for parameter `max_loop'\ninsmod: ERROR: could not insert module loop.ko: Invalid parameters",
    ),
    (
        "parameter-out-of-range",
        "99999999999",
        (
            "loop: `99999999999' invalid for parameter `max_loop'\n"
            "modprobe: ERROR: could not insert 'loop': Numerical result out of range"
        ),
    ),
    ("parameter-too-large", "label", "mod: `xxxx' too large for parameter `label'"),
    ("too-many-values", "takes 4", "irq: can only take 4 arguments\nmod: `1' invalid for parameter `irq'"),
    ("invalid", "loop", "modprobe: ERROR: could not insert 'loop': Invalid argument"),
    ("parameter-ignored", "foo", "[ 5.1] loop: unknown parameter 'foo' ignored"),
    # hardware, firmware, names, the tree
    (
        "firmware-missing",
        "iwlwifi-8000C-36.ucode",
        "[    7.9] iwlwifi 0000:04:00.0: Direct firmware load for iwlwifi-8000C-36.ucode failed with error -2",
    ),
    ("no-device", "hardware", "modprobe: ERROR: could not insert 'kvm_intel': No such device"),
    (
        "kvm-firmware",
        "BIOS",
        "modprobe: ERROR: could not insert 'kvm_intel': Operation not supported\n[ 3.1] kvm: disabled by bios",
    ),
    ("device-busy", "i8042", "modprobe: ERROR: could not insert 'i8042': Device or resource busy"),
    ("no-memory", "big", "modprobe: ERROR: could not insert 'big': Cannot allocate memory"),
    ("percpu-memory", "4096", "[ 2.2] big: Could not allocate 4096 bytes percpu data"),
    ("already-loaded", "hello", "insmod: ERROR: could not insert module hello.ko: File exists"),
    ("already-loaded", "loop", "modprobe: ERROR: could not insert 'loop': Module already in kernel"),
    ("built-in-name", "ext4", "[ 2.2] ext4: module is already loaded"),
    (
        "not-found",
        "/lib/modules/6.1.0-56-amd64",
        "modprobe: FATAL: Module nosuch not found in directory /lib/modules/6.1.0-56-amd64",
    ),
    ("not-found", "nosuch", "lkm: no module, alias or built-in is called 'nosuch' in /lib/modules/6.1.0"),
    ("tree-missing", "6.6.1", "modprobe: can't change directory to '6.6.1': No such file or directory"),
    ("not-found", "nosuch", "systemd-modules-load[210]: Failed to find module 'nosuch'"),
    (
        "tree-missing",
        "/lib/modules/6.1.0-44-amd64",
        (
            "modprobe: ERROR: ../libkmod/libkmod.c:586 kmod_search_moddep() could not open moddep file"
            " '/lib/modules/6.1.0-44-amd64/modules.dep.bin'\n"
            "modprobe: FATAL: Module loop not found in directory /lib/modules/6.1.0-44-amd64"
        ),
    ),
    (
        "install-command",
        "usb_storage",
        (
            "modprobe: ERROR: ../libkmod/libkmod-module.c:990 command_do() Error running install command '/bin/false'"
            " for module usb_storage: retcode 1\nmodprobe: ERROR: could not insert 'usb_storage': Invalid argument"
        ),
    ),
    ("init-failed", "hello", "insmod: ERROR: could not insert module hello.ko: Input/output error"),
    ("not-in-initramfs", "initramfs", "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"),
    # other tools
    ("no-device", "pcspkr", "insmod: can't insert 'pcspkr.ko': No such device"),
    ("not-this-kernel", "foo", "FATAL: Error inserting foo (/lib/modules/5.4/foo.ko): Invalid module format"),
    ("unresolved", "foo", "insmod: error inserting 'foo.ko': -1 Unknown symbol in module"),
    ("permission", "root", "systemd-modules-load[3]: Failed to insert module 'foo': Operation not permitted"),
    (
        "signature-refused",
        "signature",
        'finit_module(3, "", 0)                  = -1 EKEYREJECTED (Key was rejected by service)',
    ),
    ("already-loaded", "fat", "lkm: the kernel refused to load fat: File exists (errno 17)"),
    # removing
    ("used-by-modules", "vfat msdos", "rmmod: ERROR: Module fat is in use by: vfat msdos"),
    ("in-use", "ext4", "rmmod: ERROR: Module ext4 is in use"),
    ("in-use", "ext4", "modprobe: FATAL: Module ext4 is in use."),
    ("not-loaded", "loop", "rmmod: ERROR: Module loop is not currently loaded"),
    ("built-in", "ext4", "modprobe: FATAL: Module ext4 is builtin."),
    ("permanent", "loop", "rmmod: ERROR: could not remove module loop: Device or resource busy"),
    (
        "permission",
        "root",
        (
            "rmmod: ERROR: could not remove 'loop': Operation not permitted\n"
            "rmmod: ERROR: could not remove module loop: Operation not permitted"
        ),
    ),
    ("in-use", "dm_mod", "rmmod: can't unload module 'dm_mod': Resource temporarily unavailable"),
    ("unloading-unsupported", "CONFIG_MODULE_UNLOAD", "rmmod: ERROR: Module unloading is not supported"),
    ("network-device-held", "eth0", "unregister_netdevice: waiting for eth0 to become free. Usage count = 1"),
    # complaints
    ("taint-out-of-tree", "hello", "[ 1.2] hello: loading out-of-tree module taints kernel."),
    (
        "taint-unsigned",
        "hello",
        "hello: module verification failed: signature and/or required key missing - tainting kernel",
    ),
    ("taint-proprietary", "NVIDIA", "nvidia: module license 'NVIDIA' taints kernel."),
    ("retpoline", "Spectre", "hello: loading module not compiled with retpoline compiler."),
    (
        "suspicious-init",
        "hello",
        (
            "do_init_module: 'hello'->init suspiciously returned 5, it should follow 0/-E convention\n"
            "do_init_module: loading module anyway..."
        ),
    ),
    ("suspicious-init", "hello", "hello: init suspiciously returned 5, it should follow 0/-E convention"),
    ("taint-dangerous-parameter", "enable_fbc", "Setting dangerous option enable_fbc - tainting kernel"),
)

SHOWS_NOTHING = (
    "",
    "hello",
    "[    0.000000] Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org)",
    "[    1.2] usb 1-1: new high-speed USB device number 2 using xhci_hcd",
    "[    1.2] EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.",
    "ERROR: cannot open file: Invalid argument",
    "bash: insmod: command not found",
    "cp: cannot create regular file 'x.ko': No space left on device",
    "mount: /mnt: permission denied.",
    "sh: can't change directory to 'x': No such file or directory",
    "cat: can't open 'x': Invalid argument",
    "[ 2.0] e1000e 0000:00:1f.6 eth0: NIC Link is Up 1000 Mbps Full Duplex",
    "gcc: error: unrecognized command-line option",
    "modprobe loop && echo ok",
    "[    2.1] Key type asymmetric registered\n[    2.1] Loaded X.509 cert 'Debian Secure Boot CA: 6ccece7e4c6c'",
    "vfat 20480 1 - Live 0x0000000000000000\nfat 90112 1 vfat, Live 0x0000000000000000",
    "{module} {0} {} %s",
)


@pytest.mark.parametrize(("name", "word", "text"), TEXTS, ids=[f"{n}-{t[0]}" for n, t in enumerate(TEXTS)])
def test_the_first_cause_is_the_true_one(name: str, word: str, text: str) -> None:
    causes = causes_in_text(text)
    assert causes, text
    assert causes[0].id == name, [cause.id for cause in causes]
    assert word in causes[0].summary
    for cause in causes:
        assert not {"{", "}"} & set("".join((cause.summary, *cause.remedy)))


@pytest.mark.parametrize("text", SHOWS_NOTHING)
def test_nothing_is_made_up(text: str) -> None:
    assert causes_in_text(text) == ()


def test_the_kernel_decides_what_a_tool_meant_and_nothing_general_is_added() -> None:
    text = "modprobe: ERROR: could not insert 'loop': Invalid argument\n[1] loop: `x' invalid for parameter `max_loop'"
    assert [cause.id for cause in causes_in_text(text)] == ["bad-parameter"]


def test_lines_of_several_modules_in_any_mixture() -> None:
    text = (
        "[1.0] alpha: Unknown symbol f (err -2)\n"
        "[1.1] beta: version magic '1 SMP ' should be '2 SMP '\n"
        "[1.1] gamma: loading out-of-tree module taints kernel.\n"
        "modprobe: ERROR: could not insert 'beta': Exec format error\n"
        "[1.2] alpha: Unknown symbol g (err -2)\n"
        "modprobe: ERROR: could not insert 'alpha': Unknown symbol in module, or unknown parameter (see dmesg)\n"
        "modprobe: ERROR: could not insert 'delta': No such device\n"
    )
    causes = causes_in_text(text)
    assert [(cause.id, cause.summary.split(" ", 1)[0]) for cause in causes] == [
        ("vermagic", "beta"),
        ("unknown-symbol", "alpha"),
        ("no-device", "delta"),
    ]


def test_a_dash_in_a_tools_text_is_the_kernels_underscore() -> None:
    text = "snd_hda: Unknown symbol f (err -2)\n"
    text += "insmod: ERROR: could not insert module snd-hda.ko: Unknown symbol in module"
    assert [cause.id for cause in causes_in_text(text)] == ["unknown-symbol"]


def test_a_symbol_that_was_refused_is_not_called_missing() -> None:
    for what in ("symbols nv_f", "symbols"):
        text = (
            f"x: module using GPL-only symbols uses {what} from proprietary module nvidia.\n"
            "x: Unknown symbol nv_f (err -2)\nx: Unknown symbol gone (err -2)"
        )
        causes = causes_in_text(text)
        assert [cause.id for cause in causes] == ["mixed-licences", "unknown-symbol"]
        assert "the symbol gone," in causes[1].summary


def test_an_ignored_parameter_is_told_beside_a_failure() -> None:
    text = "loop: unknown parameter 'max' ignored\nmodprobe: ERROR: could not insert 'loop': No such device"
    assert [cause.id for cause in causes_in_text(text)] == ["no-device", "parameter-ignored"]


def test_complaints_do_not_hide_a_failure_nor_stand_beside_it() -> None:
    text = (
        "hello: loading out-of-tree module taints kernel.\n"
        "hello: module verification failed: signature and/or required key missing - tainting kernel\n"
        "hello: Unknown symbol f (err -2)"
    )
    assert [cause.id for cause in causes_in_text(text)] == ["unknown-symbol"]


def test_a_line_that_says_more_of_a_parameter_is_enough() -> None:
    text = "irq: can only take 4 arguments\nmod: `1' invalid for parameter `irq'\nmod: `x' invalid for parameter `io'"
    assert [cause.id for cause in causes_in_text(text)] == ["too-many-values", "bad-parameter"]


def test_a_missing_tree_explains_what_was_not_found() -> None:
    text = next(text for name, _, text in TEXTS if name == "tree-missing")
    assert [cause.id for cause in causes_in_text(text)] == ["tree-missing"]


def test_commands_name_the_module_where_the_file_is_not_known() -> None:
    (cause,) = causes_in_text("modprobe: ERROR: could not insert 'a;b': Exec format error")
    assert any("\"$(modinfo -n 'a;b')\"" in command for command in cause.remedy)


HOSTILE = (
    "{0}: Unknown symbol {module} (err -2)\n",
    "x: version magic 'a a a' should be '" * 30 + "\n",
    "version magic '" * 60 + "\n",
    "could not insert '" * 50 + "\n",
    ": " * 500 + "\n",
    "a\n",
    "\n",
    "".join(f"x: {rule.lines[0].replace('{', '').replace('}', '')} " for rule in PASTED if rule.lines) + "\n",
    "`' invalid for parameter `' too large for parameter `" * 20 + "\n",
    "m: exports duplicate symbol (owned by (owned by (owned by\n",
    "\x00\x1b[31m\udcff\u2028Module \u00a0 is blacklisted\r",
)


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_a_megabyte_of_anything_is_read_in_a_moment(line: str) -> None:
    text = line * (1_000_000 // len(line))
    before = time.process_time()
    causes_in_text(text)
    assert time.process_time() - before < 5


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=80),
            st.sampled_from([line for rule in PASTED for line in rule.lines]),
            st.sampled_from([text for _, _, text in TEXTS]),
        ),
        max_size=12,
    ),
    st.sampled_from(["\n", " ", ""]),
)
def test_any_text_is_read(parts: list[str], glue: str) -> None:
    for cause in causes_in_text(glue.join(parts)):
        assert cause.id
        assert cause.summary
