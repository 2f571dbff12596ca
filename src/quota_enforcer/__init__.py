"""Cap how much of Amazon Bedrock each IAM principal uses.

`meter` turns what AWS observed into usage, `decide` says who is over which quota, and `enforce`
attaches or detaches the deny policy and tells the people concerned.
Arrows point inwards: `cli -> local -> lambdas -> aws -> doctor -> enforce | insight ->
meter | decide | gates -> core`; `make lint` holds them.
"""
