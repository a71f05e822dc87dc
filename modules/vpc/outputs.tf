output "vpc_id" {
  description = "The VPC"
  value       = aws_vpc.this.id
}

output "cidr_block" {
  description = "Network of the VPC"
  value       = aws_vpc.this.cidr_block
}

output "private_data_subnet_ids" {
  description = "Private subnets for data stores, one in each of three zones"
  value       = aws_subnet.private_data[*].id
}

output "availability_zones" {
  description = "Zones of the private data subnets, in the same order"
  value       = aws_subnet.private_data[*].availability_zone
}
