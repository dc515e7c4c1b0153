# Databricks notebook source
# Loads what landed since yesterday into bronze, cleans it into silver, and sums it up in gold.
from pyspark.sql import functions as F

landed = spark.read.json("/Volumes/lake/bronze/dump/orders/")
landed.write.mode("append").saveAsTable("lake.bronze.orders")

# COMMAND ----------

clean = spark.table("lake.bronze.orders").dropDuplicates(["id"]).where("amount IS NOT NULL")
clean.write.mode("overwrite").saveAsTable("lake.silver.orders")

# COMMAND ----------

daily = clean.groupBy(F.to_date("ordered_at").alias("day")).agg(F.sum("amount").alias("revenue"))
daily.write.mode("overwrite").saveAsTable("lake.gold.daily_revenue")
