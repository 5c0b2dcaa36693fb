"""A kernel that breaks the rules a runner has to rely on; each cell's text says which one."""

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class MisbehavingKernel(Kernel):
    implementation = "misbehaving"
    implementation_version = "1"
    banner = ""
    language_info = {"name": "none", "mimetype": "text/plain", "file_extension": ".txt"}

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        if code == "dropped":
            return {"status": "aborted", "execution_count": self.execution_count}
        if code == "dropped as tslab does":
            return {"status": "abort"}
        if code == "not counted":
            return {"status": "ok"}
        if code == "quiet error":
            error = {"ename": "QuietError", "evalue": "shown, not replied", "traceback": ["QuietError"]}
            self.send_response(self.iopub_socket, "error", error)
        if code == "long":
            for done in (1, 2):
                text = f"Computing features: {done} of 3 images, {3 - done} s left"
                content = {"data": {"text/plain": text}, "metadata": {}, "transient": {"display_id": "bar"}}
                self.send_response(self.iopub_socket, "display_data" if done == 1 else "update_display_data", content)
        return {"status": "ok", "execution_count": self.execution_count}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=MisbehavingKernel)
