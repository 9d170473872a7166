"""The two-way sweep: what lies in storage and belongs to no recording, and recordings that have nothing in storage."""
