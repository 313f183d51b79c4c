select date_bin('1 day', ordered_at, timestamptz 'epoch') as day,
       country,
       count(*) as orders,
       count(shipped_on) as shipped,
       sum(amount) as revenue
from orders
where status <> 'cancelled'
group by 1, 2
