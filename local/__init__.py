"""`make run`: petAPI on this machine, from the same template.yaml as in the cloud."""
