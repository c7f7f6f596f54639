"""What people paste when they ask for help: whole scenes, written after the formats of the kernel and of the tools.

A comment names reports of the same kind (project#number) for which a text stands.
"""

import time

import pytest

from lkm.actions.diagnosing.diagnose import diagnose

# The cause that must come first, a word that its sentence must have, and the text.
SCENES: tuple[tuple[str, str, str], ...] = (
    # dkms#347, shim#617, mokutil#69: the key that dkms made was never enrolled
    (
        "unavailable-key",
        "nvidia",
        """\
$ sudo modprobe nvidia
modprobe: ERROR: could not insert 'nvidia': Key was rejected by service
$ sudo dmesg | tail -n 2
[   41.201877] Loading of module with unavailable key is rejected
[   52.880121] Loading of module with unavailable key is rejected
""",
    ),
    # linux-surface#906: the distribution's kernel, lockdown, a module of one's own
    (
        "lockdown",
        "Secure Boot",
        """\
[    0.000000] Kernel is locked down from EFI Secure Boot; see man kernel_lockdown.7
[   12.114217] Lockdown: systemd-modules: unsigned module loading is restricted; see man kernel_lockdown.7
systemd-modules-load[301]: Failed to insert module 'surface_aggregator': Operation not permitted
""",
    ),
    # acpi_ec#18: the error text alone, copied from a README's question
    ("signature-refused", "signature", "Key was rejected by service"),
    # shim#617: a key of the firmware's db that this kernel does not use for modules
    (
        "unavailable-key",
        "vboxdrv",
        """\
modprobe: ERROR: could not insert 'vboxdrv': Key was rejected by service
[  101.7] PKCS#7 signature not signed with a trusted key
""",
    ),
    # the trailer of the signature is there, and what stands before it is none: cut by a tool on its way
    ("malformed-signature", "wl", "modprobe: ERROR: could not insert 'wl': Bad message\n"),
    # woof-CE#2867: symbol versions differ, and modprobe says "Invalid argument"
    (
        "symbol-version",
        "usb_register_driver",
        """\
modprobe: ERROR: could not insert 'rtl8812au': Invalid argument
[  288.100211] rtl8812au: disagrees about version of symbol usb_register_driver
[  288.100217] rtl8812au: Unknown symbol usb_register_driver (err -22)
""",
    ),
    # aquacomputer_d5next-hwmon#79: built for another kernel, and modprobe says "Exec format error"
    (
        "vermagic",
        "6.5.0-14-generic",
        """\
insmod: ERROR: could not insert module aquacomputer_d5next.ko: Invalid module format
[  733.9] aquacomputer_d5next: version magic '6.5.0-14-generic SMP preempt mod_unload modversions ' should be \
'6.5.0-17-generic SMP preempt mod_unload modversions '
""",
    ),
    # rtlwifi_new#453: a wrong value in modprobe.d, seen as "Invalid argument"
    (
        "bad-parameter",
        "'Y,N'",
        """\
modprobe: ERROR: could not insert 'rtl8723de': Invalid argument
[   66.1] rtl8723de: `Y,N' invalid for parameter `ips'
""",
    ),
    # puppet-kmod#98: something unprintable in a parameter
    (
        "bad-parameter",
        "max_part",
        (
            "modprobe: ERROR: could not insert 'loop': Invalid argument\n[ 1.0] loop: `8\\x00' invalid for parameter"
            " `max_part'\n"
        ),
    ),
    # zfs#17165: weak-modules linked modules of an older kernel
    (
        "depmod-unknown-symbol",
        "will not load",
        """\
depmod: WARNING: /lib/modules/5.14.0-570.el9.x86_64/weak-updates/zfs.ko needs unknown symbol bdev_open_by_path
depmod: WARNING: /lib/modules/5.14.0-570.el9.x86_64/weak-updates/zfs.ko needs unknown symbol bdev_release
""",
    ),
    # almalinux-deploy#271, dkms#140: links that lead nowhere
    (
        "dangling-link",
        "ice.ko",
        (
            "depmod: ERROR: fstatat(5, i40e.ko): No such file or directory\ndepmod: ERROR: fstatat(5, ice.ko):"
            " No such file or directory\n"
        ),
    ),
    # dracut#1971: the maker of the initramfs gives up at a module that is named and not there
    (
        "initramfs-module-missing",
        "nvidia_drm",
        """\
dracut: *** Including module: kernel-modules ***
dracut-install: Failed to find module 'nvidia_drm'
dracut: FAILED: /usr/lib/dracut/dracut-install -D /var/tmp/dracut.x/initramfs -m nvidia_drm
""",
    ),
    # raspberrypi/linux#5844, mocaccinoOS/desktop#184: the initramfs has modules of the kernel before
    (
        "old-copy-in-initramfs",
        "initramfs",
        """\
[    0.811911] Run /init as init process
[    1.100711] dm_mod: version magic '6.1.57-v8+ SMP preempt mod_unload modversions aarch64' should be \
'6.1.58-v8+ SMP preempt mod_unload modversions aarch64'
[    1.9] systemd[1]: systemd 252 running in system mode (+PAM)
""",
    ),
    # modulejail#16: after an upgrade nothing loads, as the modules of the kernel that runs are gone
    (
        "tree-missing",
        "removed or replaced",
        """\
modprobe: ERROR: ../libkmod/libkmod.c:594 kmod_search_moddep() could not open moddep file \
'/lib/modules/6.8.7-arch1-1/modules.dep.bin'
modprobe: FATAL: Module wireguard not found in directory /lib/modules/6.8.7-arch1-1
""",
    ),
    # kernelci-core#1256, falco#1862, u-root#1214: compressed modules and a tool that can't unpack them
    (
        "compressed",
        "unpack",
        (
            "[ 3.44] Invalid ELF header magic: != \x7fELF\ninsmod: can't insert 'virtio_net.ko.zst': invalid module"
            " format\n"
        ),
    ),
    (
        "depmod-unreadable-module",
        "virtio.ko.zst",
        ("depmod: ERROR: failed to load symbols from /lib/modules/6.6.0/kernel/virtio.ko.zst: Exec format error\n"),
    ),
    # dkms#545, dkms#521, dkms#484: the headers of the new kernel are not there
    (
        "headers-missing",
        "6.8.0-31-generic",
        """\
Sign command: /lib/modules/6.8.0-31-generic/build/scripts/sign-file
Error! Your kernel headers for kernel 6.8.0-31-generic cannot be found at /lib/modules/6.8.0-31-generic/build or \
/lib/modules/6.8.0-31-generic/source.
Please install the linux-headers-6.8.0-31-generic package or use the --kernelsourcedir option to tell DKMS where it's \
located.
""",
    ),
    (
        "headers-missing",
        "6.1.0-18-amd64",
        (
            "make -C /lib/modules/6.1.0-18-amd64/build M=/home/u/hello modules\n"
            "make[1]: *** /lib/modules/6.1.0-18-amd64/build: No such file or directory.  Stop.\n"
            "make: *** [Makefile:5: all] Error 2\n"
        ),
    ),
    # dkms#358, dkms#352: a build failed while a kernel was installed; only the outer message is pasted
    (
        "dkms-build-failed",
        "/var/lib/dkms/evdi/1.14.1/build/make.log",
        """\
Building module(s)....(bad exit status: 2)
Error! Bad return status for module build on kernel: 6.8.0-31-generic (x86_64)
Consult /var/lib/dkms/evdi/1.14.1/build/make.log for more information.
dkms autoinstall on 6.8.0-31-generic/x86_64 failed for evdi(10)
Error! One or more modules failed to install during autoinstall.
run-parts: /etc/kernel/postinst.d/dkms exited with return code 11
""",
    ),
    # dkms#352: an entry without its source
    (
        "dkms-broken",
        "anbox-ashmem/1",
        (
            "Error! anbox-ashmem/1: Missing the module source directory or the symbolic link pointing to it.\nManual"
            " intervention is required!\n"
        ),
    ),
    (
        "dkms-broken",
        "dkms.conf",
        ("Error! Could not locate dkms.conf file.\nFile: /var/lib/dkms/x/1.0/source/dkms.conf does not exist.\n"),
    ),
    # dkms#254, dkms#429: signing was skipped without a word that one notices
    (
        "dkms-unsigned",
        "Secure Boot",
        "Binary update-secureboot-policy not found, modules won't be signed\nBuilding module(s)... done.\n",
    ),
    (
        "dkms-excluded",
        "nvidia/470.82",
        """\
Error! The /var/lib/dkms/nvidia/470.82/6.8.0-31-generic/x86_64/dkms.conf
for module nvidia/470.82 includes a BUILD_EXCLUSIVE directive which does not match this kernel/arch/config.
This indicates that it should not be built.
""",
    ),
    (
        "dkms-older",
        "not newer",
        """\
Error! Module version 1.0 for hid_logitech.ko.xz
is not newer than what is already found in kernel 6.8.0 (1.0).
You may override by specifying --force.
""",
    ),
    # a make.log: the source is older than the kernel's interfaces
    (
        "api-changed",
        "old_user_pages",
        """\
DKMS make.log for evdi-1.9.1 for kernel 6.5.0 (x86_64)
  CC [M]  /var/lib/dkms/evdi/1.9.1/build/evdi_gem.o
/var/lib/dkms/evdi/1.9.1/build/evdi_gem.c: In function \u2018evdi_pin\u2019:
/var/lib/dkms/evdi/1.9.1/build/evdi_gem.c:123:9: error: implicit declaration of function \u2018old_user_pages\u2019 \
[-Werror=implicit-function-declaration]
cc1: some warnings being treated as errors
make[2]: *** [scripts/Makefile.build:251: /var/lib/dkms/evdi/1.9.1/build/evdi_gem.o] Error 1
make: *** [Makefile:2038: /var/lib/dkms/evdi/1.9.1/build] Error 2
""",
    ),
    (
        "api-changed",
        "has no member ndo_do_ioctl_x",
        "rtw.c:88:3: error: 'struct net_device_ops' has no member named 'ndo_do_ioctl_x'\n",
    ),
    (
        "api-changed",
        "takes other arguments",
        "a.c:10:2: error: too few arguments to function \u2018class_create\u2019\n",
    ),
    (
        "api-changed",
        "kmap_atomic_x",
        (
            "a.c:10:2: error: call to undeclared function 'kmap_atomic_x'; ISO C99 and later do not support implicit"
            " function declarations [-Wimplicit-function-declaration]\n"
        ),
    ),
    ("header-missing", "linux/stdarg_old.h", "a.c:3:10: fatal error: linux/stdarg_old.h: No such file or directory\n"),
    (
        "symbol-undefined",
        "and 1 more",
        (
            'ERROR: modpost: "ksys_sync_x" [/tmp/z/zfs.ko] undefined!\nERROR: modpost: "mmput_x" [/tmp/z/zfs.ko]'
            " undefined!\nmake[1]: *** [scripts/Makefile.modpost:126: Module.symvers] Error 1\n"
        ),
    ),
    (
        "gpl-only-symbol",
        "rcu_read_unlock_strict",
        "ERROR: modpost: GPL-incompatible module nvidia.ko uses GPL-only symbol 'rcu_read_unlock_strict'\n",
    ),
    (
        "namespace",
        "DMA_BUF",
        "ERROR: modpost: module vmnet uses symbol dma_buf_get from namespace DMA_BUF, but does not import it.\n",
    ),
    ("licence-missing", "MODULE_LICENSE", "ERROR: modpost: missing MODULE_LICENSE() in /home/u/hello/hello.o\n"),
    (
        "compiler-options",
        "-ftrivial-auto-var-init=zero",
        "gcc: error: unrecognized command-line option \u2018-ftrivial-auto-var-init=zero\u2019\n",
    ),
    ("compiler-missing", "gcc-12", "/bin/sh: 1: gcc-12: not found\nmake[2]: *** [a.o] Error 127\n"),
    (
        "boot-full",
        "full",
        """\
update-initramfs: Generating /boot/initrd.img-6.8.0-31-generic
zstd: error 70 : Write error : cannot write block : No space left on device
E: mkinitramfs failure zstd -q -9 -T0 70
update-initramfs: failed for /boot/initrd.img-6.8.0-31-generic with 1.
""",
    ),
    # dkms#359: enrolling a key where there is no firmware for it, or a certificate of the wrong form
    ("no-firmware-variables", "UEFI", ("$ mokutil --import mok.der\nEFI variables are not supported on this system\n")),
    ("certificate-not-binary", "DER", "Abort!!! /root/MOK.pem is not a valid x509 certificate in DER format\n"),
    ("enrolment-pending", "blue screen", "/var/lib/dkms/mok.pub is already in the enrollment request\n"),
    (
        "signing-file-missing",
        "sign-file names",
        """\
At main.c:171:
- SSL error:FFFFFFFF80000002:system library::No such file or directory: ../crypto/bio/bss_file.c:67
- SSL error:10000080:BIO routines::no such file: ../crypto/bio/bss_file.c:75
sign-file: /root/MOK.priv
""",
    ),
    (
        "signing-key-missing",
        "without a signature",
        """\
  SIGN    /lib/modules/6.1.0/updates/hello.ko
At main.c:167:
- SSL error:FFFFFFFF80000002:system library::No such file or directory: ../crypto/bio/bss_file.c:67
sign-file: ./certs/signing_key.pem
""",
    ),
    ("kernel-not-signed", "Secure Boot", "error: bad shim signature.\nerror: you need to load the kernel first.\n"),
    # kmod#444, puppet-kmod#30: install /bin/false in modprobe.d, of which the user knows nothing
    (
        "install-command",
        "dccp",
        (
            "modprobe: ERROR: ../libkmod/libkmod-module.c:1047 Error running install command '/bin/false' for"
            " module dccp: retcode 1\nmodprobe: ERROR: could not insert 'dccp': Invalid argument\n"
        ),
    ),
    (
        "kernel-blacklist",
        "nouveau",
        (
            "modprobe: ERROR: could not insert 'nouveau': Operation not permitted\n[ 7.7] Module"
            " nouveau is blacklisted\n"
        ),
    ),
    ("filesystem-module-missing", "exfat", "mount: /mnt: unknown filesystem type 'exfat'.\n"),
    (
        "table-module-missing",
        "nat",
        (
            "iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to"
            " insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n"
        ),
    ),
    ("device-type-module-missing", "network device", "Error: Unknown device type.\n"),
    (
        "driver-mismatch",
        "535.54.03",
        """\
NVRM: API mismatch: the client has the version 535.54.03, but
NVRM: this kernel module has the version 535.86.05.  Please
NVRM: make sure that this kernel module and all NVIDIA driver
""",
    ),
    ("in-use", "nvidia_drm", "rmmod: ERROR: Module nvidia_drm is in use\n"),
    ("used-by-modules", "kvm_intel", "rmmod: ERROR: Module kvm is in use by: kvm_intel\n"),
    (
        "modules-load-failed",
        "modules-load.d",
        (
            "systemd-modules-load.service: Failed with result 'exit-code'.\n"
            "systemd[1]: Failed to start systemd-modules-load.service - Load Kernel Modules.\n"
        ),
    ),
    # acpi_call and the like: the module is proprietary where it may not be
    (
        "proprietary",
        "__put_task_struct",
        (
            "nvidia: module license 'NVIDIA' taints kernel.\n[ 12.0] Disabling lock debugging due to kernel taint\n"
            "nvidia: Unknown symbol __put_task_struct (err -2)\nmodprobe: ERROR: could not insert 'nvidia': Unknown"
            " symbol in module, or unknown parameter (see dmesg)\n"
        ),
    ),
)

NOTHING = (
    "",
    "\n\n",
    'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: invalid argument\n',
    "E: Unable to locate package linux-header\nE: Couldn't find any package by regex 'linux-header'\n",
    "git: 'mokutil' is not a git command.\nsign-file: see the manual\n",
    "make: Nothing to be done for 'all'.\nmake[1]: Leaving directory '/usr/src/linux-headers-6.1.0'\n",
    "  CC [M]  /tmp/hello.o\n  MODPOST /tmp/Module.symvers\n  LD [M]  /tmp/hello.ko\n",
    "update-initramfs: Generating /boot/initrd.img-6.1.0-18-amd64\n",
    "hello.c:3:5: warning: unused variable \u2018x\u2019 [-Wunused-variable]\n",
    "hello.c:3:5: error: expected \u2018;\u2019 before \u2018}\u2019 token\n",
    "dkms: autoinstall for 6.1.0 done\nacpi-call/1.2.2, 6.1.0-18-amd64, x86_64: installed\n",
    "SecureBoot enabled\n[    0.0] secureboot: Secure boot enabled\n",
    "rsync: write failed: Broken pipe\nssh: connect to host a port 22: Connection timed out\n",
    "bash: modprob: command not found\n",
    "sh: 12: Syntax error: end of file unexpected\n",
    "Invalid argument about whether kernels should be free",
    "EXT4-fs error (device sda1): ext4_lookup:1785: inode #2: comm ls: deleted inode referenced: 12\n",
)


def test_there_are_enough_scenes() -> None:
    assert len(SCENES) >= 40


@pytest.mark.parametrize(("name", "word", "text"), SCENES, ids=[scene[0] for scene in SCENES])
def test_the_right_cause_comes_first(name: str, word: str, text: str) -> None:
    found = diagnose(text).found
    assert found, text
    assert found[0].cause.id == name, [one.cause.id for one in found]
    assert word in found[0].cause.summary
    assert not found[0].line or found[0].line in text


@pytest.mark.parametrize("text", NOTHING, ids=range(len(NOTHING)))
def test_nothing_is_made_up(text: str) -> None:
    assert [one.cause.id for one in diagnose(text).found] == []


def test_a_megabyte_of_log_with_all_scenes_in_it_is_read_in_a_moment() -> None:
    noise = "[  101.123456] usb 1-1: new high-speed USB device number 2 using xhci_hcd\n" * 250
    text = "".join(noise + scene for *_, scene in SCENES)
    text *= 1_000_000 // len(text) + 1
    times = []
    for _ in range(3):
        before = time.process_time()
        found = diagnose(text).found
        times.append(time.process_time() - before)
    assert len({one.cause.id for one in found}) > 20
    assert min(times) < 1  # a fifth of that where nothing else runs
