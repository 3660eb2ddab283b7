"""How long requests would take in AWS: the shipped code, on a model of the waits and of Lambda's processor.

| module          | what it has                                                              |
|-----------------|--------------------------------------------------------------------------|
| `waiting_times` | how long each call of AWS takes                                          |
| `quota`         | what a function of some memory has of a processor                        |
| `virtual_time`  | threads that take turns; their processor time is measured, waits are not |
| `calls`         | where a call of botocore's clients waits                                 |
| `tls`           | HTTPS in front of the engines, as AWS has it                             |
| `scene`         | the engines with labels and pictures, and all kinds of requests          |
| `cold_start`    | the first request of a new process of the built function                 |
| `model`         | all of these together: how long a request takes                          |
| `kept_pictures` | what it would bring to keep pictures in memory                           |
| `__main__`      | `make latency`                                                           |
"""
