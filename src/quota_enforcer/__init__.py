"""Cap how much of Amazon Bedrock each IAM principal uses.

Meter (`meter`) turns what AWS observed into usage buckets, decide (`core`) says who is over which
quota, and apply (`sweep`) attaches or detaches the deny policy and tells the people concerned.
The arrow points inwards: `handlers | cli | local -> wiring -> sweep, aws -> core`.
"""
