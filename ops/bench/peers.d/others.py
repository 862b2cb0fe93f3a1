"""How much of the processors' time others took while something was measured: what tells a spoiled figure."""

import os
import resource
import subprocess


class Others:
    """From its making on. Whatever is neither the server's nor this process's nor its ended children's is others'."""

    def __init__(self, port):
        self.port = port
        self.before = self._read()

    def share(self):
        """0 to 1, of all processors together."""
        total, busy, own = (now - then for now, then in zip(self._read(), self.before))
        return min(1.0, max(0.0, (busy - own) / total)) if total > 0 else 0.0

    def _read(self):
        with open("/proc/stat") as file:
            times = [int(word) / os.sysconf("SC_CLK_TCK") for word in file.readline().split()[1:9]]
        reply = subprocess.run(
            ["redis-cli", "-p", str(self.port), "info", "cpu"], capture_output=True, text=True, check=True, timeout=20)
        server = dict(line.split(":", 1) for line in reply.stdout.split() if ":" in line)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        own = sum(usage.ru_utime + usage.ru_stime for usage in used)
        own += float(server["used_cpu_user"]) + float(server["used_cpu_sys"])
        return sum(times), sum(times) - times[3] - times[4], own
