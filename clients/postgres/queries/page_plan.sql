-- For this transaction: a page's filters are planned by their values, since a plan for any of them reads every row.
SET LOCAL plan_cache_mode = force_custom_plan
