"""The pages: what each reads or writes before it is shown."""
