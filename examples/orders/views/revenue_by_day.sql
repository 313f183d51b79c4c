select day, country, orders, revenue
from orders.daily_revenue
