# The stack of the Bedrock quota enforcer, and two quotas.
#
# First upload the code, which Terraform does not do, in the folder of the unpacked release:
#   aws cloudformation package --template-file template.yaml --s3-bucket BUCKET --output-template-file packaged.yaml
#   aws s3 cp packaged.yaml s3://BUCKET/packaged.yaml

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "template_url" {
  description = "Where packaged.yaml is, such as https://BUCKET.s3.us-east-1.amazonaws.com/packaged.yaml"
  type        = string
}

variable "mode" {
  description = "observe blocks nobody; enforce does"
  type        = string
  default     = "observe"
}

resource "aws_cloudformation_stack" "quota_enforcer" {
  name         = "bedrock-quota"
  template_url = var.template_url
  capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]

  parameters = {
    Mode     = var.mode
    TimeZone = "Europe/Berlin"
    Contact  = "platform@example.com"
  }

  # Deleting the stack first releases everybody, which may take minutes.
  timeouts {
    delete = "30m"
  }
}

# An item says what `quota export` writes of it. A raise stands in its item for a while, and an apply
# meanwhile ends it: the plan shows that. Who raises often keeps quotas in the pipeline's file instead.
resource "aws_dynamodb_table_item" "default_daily" {
  table_name = aws_cloudformation_stack.quota_enforcer.outputs["QuotaTable"]
  hash_key   = "principal"
  range_key  = "quota"

  item = <<ITEM
  {
    "principal": {"S": "default"},
    "quota": {"S": "daily"},
    "measure": {"S": "cost_usd"},
    "limit": {"N": "20"},
    "window": {"S": "day"}
  }
  ITEM
}

resource "aws_dynamodb_table_item" "people_monthly" {
  table_name = aws_cloudformation_stack.quota_enforcer.outputs["QuotaTable"]
  hash_key   = "principal"
  range_key  = "quota"

  item = <<ITEM
  {
    "principal": {"S": "user/*"},
    "quota": {"S": "monthly"},
    "measure": {"S": "cost_usd"},
    "limit": {"N": "300"},
    "window": {"S": "month"},
    "warn_at": {"L": [{"N": "50"}, {"N": "80"}]}
  }
  ITEM
}

output "notice_topic" {
  description = "Subscribe to it, with a filter on principal, kind or quota."
  value       = aws_cloudformation_stack.quota_enforcer.outputs["NoticeTopic"]
}
