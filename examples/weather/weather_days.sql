select date_bin('1 day', hour, timestamptz 'epoch') as day,
       station,
       count(*) as hours,
       max(warmest) as warmest,
       min(coldest) as coldest,
       max(rain) as rain
from weather_hours
group by 1, 2
