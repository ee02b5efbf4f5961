"""`python -m recto_client.commands` is `recto`."""

from recto_client.commands import run_command_line

if __name__ == "__main__":
    run_command_line()
