resource "aws_route53_record" "this" {
  count = var.dns == null ? 0 : 1

  zone_id = var.dns.zone_id
  name    = var.dns.name
  type    = "CNAME"
  ttl     = var.dns.ttl
  records = [local.host]
}
