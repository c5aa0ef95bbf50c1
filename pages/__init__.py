"""The pages people see; layout and wording only."""
