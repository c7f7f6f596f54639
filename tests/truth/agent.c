/*
 * What runs as process 1 in a machine of the truth suite. It has no file but those of the initramfs and talks over the
 * second serial port, so that the machine can be saved once and every case started from that saved state.
 *
 * A request is one line of words; those that may hold any byte are in hexadecimal, with "-" for an empty one:
 *     load PATH PARAMETERS FLAGS COMM PRIVILEGED    unload NAME FLAGS    read PATH    write PATH TEXT    rest MILLISECONDS
 * An answer is lines "errno N", "text HEX", "log RECORD" as /dev/kmsg gives them, and "end".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char line[1 << 17], bytes[1 << 16];
static int port, log_file;

static void say(const char *text, size_t size)
{
	while (size) {
		ssize_t written = write(port, text, size);
		if (written <= 0)
			_exit(1);
		text += written;
		size -= written;
	}
}

static void say_text(const char *text)
{
	say(text, strlen(text));
}

static void say_log(void)
{
	ssize_t size;
	int writer = open("/dev/kmsg", O_WRONLY);

	/* A line that lacks its newline, or was cut, is kept back until another comes. The host drops those of user space. */
	write(writer, "more\n", 5);
	close(writer);
	while ((size = read(log_file, bytes, sizeof(bytes) - 1)) > 0 || (size < 0 && errno == EPIPE)) {
		if (size < 0)
			continue;
		bytes[size] = 0;
		say_text("log ");
		say(bytes, strcspn(bytes, "\n"));
		say_text("\n");
	}
}

static size_t unhexed(char *word)
{
	size_t size = strcmp(word, "-") ? strlen(word) / 2 : 0;
	size_t i;
	unsigned int byte;

	for (i = 0; i < size; i++) {
		sscanf(word + 2 * i, "%2x", &byte);
		word[i] = byte;
	}
	word[size] = 0;
	return size;
}

static int load(char *path, char *parameters, int flags, char *comm, int privileged)
{
	int status, errors[2], code = 0;
	pid_t child;

	unhexed(parameters);
	unhexed(comm);
	pipe(errors);
	child = fork();
	if (!child) {
		int file = open(path, O_RDONLY);

		prctl(PR_SET_NAME, comm);
		if (!privileged)
			setuid(65534);
		if (syscall(SYS_finit_module, file, parameters, flags))
			code = errno;
		write(errors[1], &code, sizeof(code));
		_exit(0);
	}
	close(errors[1]);
	if (read(errors[0], &code, sizeof(code)) != sizeof(code))
		code = -1;	/* the kernel killed it */
	close(errors[0]);
	waitpid(child, &status, 0);
	return code;
}

static int read_file(char *path)
{
	int file;
	ssize_t size, i;
	char digits[3];

	unhexed(path);
	file = open(path, O_RDONLY);
	if (file < 0)
		return errno;
	say_text("text ");
	size = read(file, bytes, 4096);
	for (i = 0; i < size; i++) {
		sprintf(digits, "%02x", (unsigned char)bytes[i]);
		say(digits, 2);
	}
	say_text("\n");
	close(file);
	return size < 0 ? EIO : 0;
}

static int write_file(char *path, char *text)
{
	int file = open(path, O_WRONLY), code = 0;
	size_t size = unhexed(text);

	if (file < 0)
		return errno;
	if (write(file, text, size) < 0)
		code = errno;
	close(file);
	return code;
}

static int carried_out(void)
{
	char *words[6] = { 0 }, *rest = line;
	int count = 0;

	while (count < 6 && (words[count] = strsep(&rest, " ")))
		count++;
	if (count == 6 && !strcmp(words[0], "load"))
		return load(words[1], words[2], atoi(words[3]), words[4], atoi(words[5]));
	if (count == 3 && !strcmp(words[0], "unload")) {
		unhexed(words[1]);
		return syscall(SYS_delete_module, words[1], atoi(words[2])) ? errno : 0;
	}
	if (count == 2 && !strcmp(words[0], "read"))
		return read_file(words[1]);
	if (count == 3 && !strcmp(words[0], "write"))
		return write_file(words[1], words[2]);
	if (count == 2 && !strcmp(words[0], "rest"))
		return usleep(1000 * atoi(words[1])) ? errno : 0;
	return ENOSYS;
}

int main(void)
{
	struct termios raw;
	size_t length = 0;
	char answer[32], byte;

	mount("proc", "/proc", "proc", 0, 0);
	mount("sysfs", "/sys", "sysfs", 0, 0);
	mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
	port = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
	log_file = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (port < 0 || log_file < 0)
		return 1;
	tcgetattr(port, &raw);
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	tcsetattr(port, TCSANOW, &raw);
	say_text("end\n");
	while (read(port, &byte, 1) == 1) {
		if (byte != '\n') {
			if (length < sizeof(line) - 1)
				line[length++] = byte;
			continue;
		}
		line[length] = 0;
		length = 0;
		int code = carried_out();
		say_log();
		sprintf(answer, "errno %d\nend\n", code);
		say_text(answer);
	}
	return 1;
}
