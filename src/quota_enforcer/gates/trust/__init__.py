"""Trust policies: who may take a role, and who decides what its sessions are called."""
