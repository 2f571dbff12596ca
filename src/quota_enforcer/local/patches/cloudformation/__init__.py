"""CloudFormation: conditions and resources that the emulator lacks."""
